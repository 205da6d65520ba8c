import { annotationKeys } from '../../constructs/model/annotations.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { canonicalMember, isEmailAddress } from '../../constructs/model/members.ts';
import type { CallOptions, Cluster } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import { ownerIn } from './ownership.ts';
import type { OwnerIdentity } from './provenance.ts';
import { cleanText, textLimits } from './untrusted.ts';

/** Longest subject that a token can have (OpenID Connect Core 1.0, 2). */
const longestSubject = 255;
/** `client:` and the longest id of a client. */
const longestClientName = 'client:'.length + 255;

type Known = OwnerIdentity & { readonly sub: string };

/**
 * Those of whom annotations tell the subject and more: who owns something, and who wrote it last. Two for each object
 * at most. Anybody who may patch an object can write there, so what no token could have said is left out.
 */
export function knownPeople(objects: readonly Manifest[]): Known[] {
  return objects.flatMap((object) => {
    const { [annotationKeys.updatedBySub]: sub, [annotationKeys.updatedByEmail]: email } = annotationsOf(object);
    return [ownerIn(object), { ...(sub ? { sub } : {}), ...(email ? { email } : {}) }].flatMap(knownOf);
  });
}

function knownOf({ sub, email, name }: OwnerIdentity): Known[] {
  if (!sub || sub.length > longestSubject) return [];
  const address = email && email.length <= textLimits.message ? canonicalMember(email) : '';
  if (email && !isEmailAddress(address)) return [];
  return [
    { sub, ...(address ? { email: address } : {}), ...(name ? { name: cleanText(name, textLimits.field) } : {}) },
  ];
}

/** The name under which somebody can be a member: his address, or the client of a service account. */
export function memberNameIn({ email, name }: OwnerIdentity): string | undefined {
  if (email) return canonicalMember(email);
  // Recorded for service accounts only: what a person calls himself never begins so (provenance.ts).
  return name?.startsWith('client:') && name.length <= longestClientName ? name : undefined;
}

/** The names as a member of each subject, in the order in which they were found. */
export function memberNamesOf(people: readonly Known[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const one of people) {
    const name = memberNameIn(one);
    if (name === undefined) continue;
    const known = names.get(one.sub) ?? new Set();
    names.set(one.sub, known.add(name));
  }
  return names;
}

/** Somebody as far as he is known: under an address by which he is a member now, else under any. */
export function personOf(sub: string, people: readonly Known[], members: readonly string[]): OwnerIdentity {
  const known = people.filter((one) => one.sub === sub);
  const isMember = (one: Known) => members.includes(memberNameIn(one) ?? '');
  const found = known.find(isMember) ?? known.find((one) => memberNameIn(one) !== undefined);
  const name = found?.name ?? known.find((one) => one.email === found?.email && one.name)?.name;
  return { sub, ...(found?.email ? { email: found.email } : {}), ...(name ? { name } : {}) };
}

/** Every tentacle of an enclave, without its specification. */
export function tentaclesIn(
  { reader }: { readonly reader: Pick<Cluster['reader'], 'list'> },
  namespace: string,
  kube: CallOptions,
): Promise<Manifest[]> {
  const labels = { [labelKeys.managedBy]: managedBy, [labelKeys.enclave]: namespace };
  return reader.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, labels, metadataOnly: true }, kube);
}
