import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import type { DependencyHandle } from '../../../engine/api.ts';
import { dependencyHandle } from '../../../engine/context/dependency.ts';
import { Redactor } from '../../../engine/context/redact.ts';
import { Secrets } from '../../../engine/context/secrets.ts';
import { workflowOf } from '../support/workflows.ts';

const contract = {
  weather: { protocol: 'https', host: 'api.example.com', port: 443, auth: { type: 'bearer', secret: 'weather.token' } },
  db: { protocol: 'postgresql', host: 'db.data.svc', port: 5432, auth: { type: 'password', secret: 'db.password' } },
  open: { protocol: 'http', host: 'open.example.com', port: 8080 },
  range: { type: 'dynamic-target', cidr: '10.20.0.0/16', dynPorts: ['443/TCP', '8443/TCP'], reason: 'a fleet' },
  'tentacular-postgres': null,
};
const workflow = workflowOf({
  nodes: { a: {} },
  contract,
  sidecars: [{ name: 'pdf', image: 'example.com/pdf:1', port: 9000, protocol: 'http' }],
});

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
}

function handles(files: Record<string, JsonObject>, traceparent = '00-x') {
  const sent: Sent[] = [];
  const redactor = new Redactor();
  const read = (service: string) => (files[service] === undefined ? undefined : JSON.stringify(files[service]));
  const secrets = new Secrets({ list: () => Object.keys(files), read }, redactor);
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    sent.push({ url: String(input), headers: Object.fromEntries(new Headers(init?.headers)) });
    return new Response('ok');
  };
  const { signal } = new AbortController();
  const of = (name: string): DependencyHandle =>
    dependencyHandle(name, { workflow, secrets, signal, headers: [['traceparent', traceparent]], fetch });
  return { of, sent, redactor };
}

describe('a dependency of the contract', () => {
  it('says where it is and what its secret is', () => {
    const { of } = handles({ db: { password: 'canary' } });
    expect(of('db')).toEqual({
      name: 'db',
      protocol: 'postgresql',
      host: 'db.data.svc',
      port: 5432,
      authType: 'password',
      secret: 'canary',
    });
  });

  it('over http without auth needs no secret and sends none, but the trace context', async () => {
    const { of, sent } = handles({});
    const open = of('open');
    expect(open).toMatchObject({ authType: 'none' });
    expect(open.secret).toBeUndefined();
    await open.fetch?.('/a');
    expect(sent).toEqual([{ url: 'http://open.example.com:8080/a', headers: { traceparent: '00-x' } }]);
  });

  it('over https leaves the default port out of the URL', async () => {
    const { of, sent } = handles({ weather: { token: 'canary-token' } });
    await of('weather').fetch?.('/v1');
    expect(sent).toEqual([
      { url: 'https://api.example.com/v1', headers: { authorization: 'Bearer canary-token', traceparent: '00-x' } },
    ]);
  });

  it('that is a range gives the range and its ports, and no fetch', () => {
    const handle = handles({}).of('range');
    expect(handle).toEqual({
      name: 'range',
      protocol: 'tcp',
      host: '',
      port: 443,
      authType: 'none',
      cidr: '10.20.0.0/16',
      ports: [443, 8443],
    });
  });

  it('of the exoskeleton gives what its registrar issued', () => {
    const issued = {
      protocol: 'postgresql',
      host: 'pg.tentacular-exo.svc',
      port: 5432,
      user: 'u',
      password: 'canary-pw',
    };
    const { of, redactor } = handles({ 'tentacular-postgres': issued });
    expect(of('tentacular-postgres')).toEqual({
      name: 'tentacular-postgres',
      protocol: 'postgresql',
      host: 'pg.tentacular-exo.svc',
      port: 5432,
      authType: 'issued',
      secret: issued,
    });
    expect(redactor.text('canary-pw')).toBe('[redacted]');
  });

  it('whose secret is missing is an error that says which', () => {
    expect(() => handles({}).of('weather')).toThrow('secret weather is not there');
  });
});

it('a sidecar is reached by its name on localhost', async () => {
  const { of, sent } = handles({});
  await of('pdf').fetch?.('/render');
  expect(sent).toMatchObject([{ url: 'http://localhost:9000/render' }]);
});

it.each(['unknown', 'toString', '__proto__'])(
  '%s, which the contract does not name, is refused with what it names',
  (name) => {
    expect(() => handles({}).of(name)).toThrow(
      `the contract has no dependency "${name}"; it has: db, open, pdf, range, tentacular-postgres, weather. ` +
        'Declare it in workflow.yaml under contract.dependencies',
    );
  },
);
