import { annotationKeys, retiredAnnotationPrefix } from '../../constructs/model/annotations.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { type Mode, presetOf } from '../../constructs/model/mode.ts';
import type { ToolOutput } from '../api/tools.ts';
import { enclaveModeOf, tentacleModeOf } from '../authz/scope.ts';
import { annotationsOf } from './admission.ts';
import type { OwnerIdentity } from './provenance.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Shown = ToolOutput<'permissions_set'>['before'];

/** True for what an older product annotated: that is pointed out, and counts for nothing. */
export function hasRetiredAnnotations(object: Manifest): boolean {
  return Object.keys(annotationsOf(object)).some((key) => key.startsWith(retiredAnnotationPrefix));
}

/** The owner that an object's annotations name, as they stand. */
export function ownerIn(object: Manifest): OwnerIdentity {
  const annotations = annotationsOf(object);
  const { ownerSub, ownerEmail, ownerName } = annotationKeys;
  return {
    ...(annotations[ownerSub] ? { sub: annotations[ownerSub] } : {}),
    ...(annotations[ownerEmail] ? { email: annotations[ownerEmail] } : {}),
    ...(annotations[ownerName] ? { name: annotations[ownerName] } : {}),
  };
}

/** True for a tentacle that is the enclave owner's because it comes out of Git, and would else be nobody's. */
export function isOwnedThroughGit(tentacle: Manifest | undefined): boolean {
  const annotations = tentacle ? annotationsOf(tentacle) : {};
  return annotations[annotationKeys.managedByGit] === 'true' && !annotations[annotationKeys.ownerSub];
}

/** Annotations that make somebody the owner; what is not known of him replaces what was known of the one before. */
export function ownerAnnotations({ sub = '', email = '', name = '' }: OwnerIdentity): Record<string, string> {
  return {
    [annotationKeys.ownerSub]: sub,
    [annotationKeys.ownerEmail]: email,
    [annotationKeys.ownerName]: name,
  };
}

/** Owner, mode and preset of an enclave, or of a tentacle in it; annotations are untrusted. */
export function shownPermissions(enclave: Manifest, tentacle?: Manifest): Shown {
  const mode: Mode = tentacle
    ? tentacleModeOf(annotationsOf(enclave), annotationsOf(tentacle))
    : enclaveModeOf(annotationsOf(enclave));
  const preset = presetOf(mode);
  const owner = Object.entries(ownerIn(tentacle ?? enclave)) as [keyof OwnerIdentity, string][];
  return {
    owner: Object.fromEntries(owner.map(([key, value]) => [key, cleanText(value, textLimits.field)])),
    mode,
    ...(preset ? { preset } : {}),
  };
}
