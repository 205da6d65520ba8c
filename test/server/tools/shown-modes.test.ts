import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { eventually } from '../../support/eventually.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';

/** As the annotation has it; undefined: it is missing. What counts then, of an enclave and of a tentacle in it. */
const modes: readonly (readonly [string | undefined, string, string])[] = [
  [undefined, 'rwxrwx---', 'rwxr-x---'],
  ['rwxr-xr-x', 'rwxr-xr-x', 'rwxr-xr-x'],
  ['open-read', 'rwxrwxr--', 'rwxrwxr--'],
  ['', '---------', '---------'],
  ['0770', '---------', '---------'],
  ['rwxrwxrwxrwx', '---------', '---------'],
];

describe('a mode that was written by other means', () => {
  const stage = useStage({ startCache: true });
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'by-hand';
  beforeAll(async () => {
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com'] });
    await as('olga').ok('wf_apply', { enclave, ...helloWorkflow('hello') });
  });

  const annotate = async (
    name: 'mode' | 'default-mode' | 'enclave-status',
    text: string | undefined,
    tentacle?: string,
  ) => {
    const { cluster } = stage().harness;
    const live = tentacle ? await cluster.deployment(enclave, tentacle) : await cluster.enclave(enclave);
    if (!live) throw new Error('it is gone');
    const { [`tentacular.io/${name}`]: _before, ...rest } = live.metadata.annotations ?? {};
    const annotations = text === undefined ? rest : { ...rest, [`tentacular.io/${name}`]: text };
    stage().fake.put({ ...live, metadata: { ...live.metadata, annotations } });
  };

  // Harm: what a list says is open is closed, or the other way round.
  it.each(modes)('%j is shown as what it means, in every tool', async (text, ofEnclave, ofTentacle) => {
    await annotate('mode', text);
    await annotate('mode', text, 'hello');
    expect(await as('olga').ok('enclave_info', { name: enclave })).toMatchObject({ mode: ofEnclave });
    expect(await as('olga').ok('permissions_get', { enclave })).toMatchObject({ mode: ofEnclave });
    expect(await as('olga').ok('permissions_get', { enclave, name: 'hello' })).toMatchObject({ mode: ofTentacle });
    await eventually('the list follows', async () => {
      const { workflows } = await as('olga').ok('wf_list', { enclave });
      return (workflows as JsonObject[]).map(({ mode }) => mode).join() === ofTentacle;
    });
  });

  it('of a tentacle that has none is the default of its enclave, in every tool', async () => {
    await annotate('mode', undefined, 'hello');
    await annotate('default-mode', 'open-read');
    expect(await as('olga').ok('permissions_get', { enclave, name: 'hello' })).toMatchObject({ mode: 'rwxrwxr--' });
    await eventually('the list follows', async () => {
      const { workflows } = await as('olga').ok('wf_list', { enclave });
      return (workflows as JsonObject[]).map(({ mode }) => mode).join() === 'rwxrwxr--';
    });
  });

  // Harm: who froze it by hand, and wrote it otherwise, sees it go on.
  it('and a status that cannot be read is frozen, in what is shown and in what is done', async () => {
    await annotate('enclave-status', 'Frozen');
    expect(await as('olga').ok('enclave_info', { name: enclave })).toMatchObject({ status: 'frozen' });
    expect(await as('olga').refused('wf_apply', { enclave, ...helloWorkflow('hello') })).toMatchObject({
      code: 'frozen',
    });
    await as('olga').ok('enclave_sync', { name: enclave, new_status: 'active' });
    await as('olga').ok('wf_apply', { enclave, ...helloWorkflow('hello') });
  });

  // Harm: whoever wanted new tentacles to be private has them read by everybody in the enclave.
  it.each([
    ['rwx-----', 'rwx------'],
    ['', 'rwx------'],
    ['---------', '---------'],
    ['private', 'rwx------'],
    [undefined, 'rwxr-x---'],
  ])('as the default %j gives a new tentacle %s', async (text, mode) => {
    await annotate('mode', undefined);
    await annotate('default-mode', text);
    const name = `new-${modes.length}${text?.length ?? ''}`;
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow(name) });
    expect(await as('olga').ok('permissions_get', { enclave, name })).toMatchObject({ mode });
    await as('olga').ok('wf_remove', { enclave, name });
  });
});
