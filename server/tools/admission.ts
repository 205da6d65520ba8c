import { annotationKeys } from '../../constructs/model/annotations.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { Principal } from '../../constructs/model/principal.ts';
import { type Decision, decide } from '../authz/decide.ts';
import type { OperationName } from '../authz/operations.ts';
import type { AuthzPolicy } from '../authz/policy.ts';
import { type Annotations, mayClaim } from '../authz/scope.ts';
import { type CallOptions, type Cluster, isSince } from '../cluster/index.ts';
import { authorStamps, ownerIdentity } from './provenance.ts';
import { enclaveNotFound, type Named, nameTaken, podNotFound, refusal, tentacleNotFound } from './refusals.ts';

/** What the audit record says of the decision over one call. */
export interface AdmissionRecord {
  readonly decision: 'allowed' | 'denied' | 'not-judged';
  readonly reason: string;
  readonly enclave?: string;
  readonly tentacle?: string;
}

/** Namespace and Deployment as they were when the call was admitted. */
export interface Admitted {
  readonly enclave: Manifest;
  readonly tentacle: Manifest;
}

/**
 * The one way from a tool to the cluster: each handler is admitted before it touches anything. Reads the annotations
 * live, so that a decision never rests on an old copy. What is not ours, and what the caller may not read, answers
 * exactly like what does not exist.
 */
export interface Admission {
  /** For operations that are about no enclave, or only filter rows. */
  general(operation: OperationName): void;
  /** The Namespace of the enclave. */
  enclave(operation: OperationName, enclave: string): Promise<Manifest>;
  /** Namespace and Deployment. */
  tentacle(operation: OperationName, enclave: string, name: string): Promise<Admitted>;
  /** For wf_apply: creating and updating are two operations. */
  apply(enclave: string, name: string): Promise<{ enclave: Manifest; tentacle: Manifest | undefined }>;
  /** For a comparison with a source: of the tentacle that is there, or of one that the caller could create. */
  preview(enclave: string, name: string): Promise<{ enclave: Manifest; tentacle: Manifest | undefined }>;
  /**
   * For wf_remove: remains of a tentacle whose Deployment is gone may be removed by who may write the enclave. The
   * Namespace; undefined where there is nothing that the caller may know of.
   */
  removal(enclave: string, name: string): Promise<Manifest | undefined>;
  /** For logs of a pod by its name: the tentacle that it belongs to decides. */
  pod(operation: OperationName, enclave: string, pod: string): Promise<void>;
  /** Once more, over what was read just before a write. */
  still(operation: OperationName, enclave: Manifest, tentacle?: Manifest): void;
  /** For rows of a list: whether the caller may do this with that one. Not recorded. */
  may(operation: OperationName, enclave?: Manifest, tentacle?: Manifest): boolean;
  /** The same with the reason. */
  explain(operation: OperationName, enclave?: Manifest, tentacle?: Manifest): Decision;
  /** What was decided so far. */
  readonly record: AdmissionRecord;
}

/** What a decision is read from, live; and where an enclave that is claimed is pinned. */
export type AdmissionCluster = Pick<Cluster, 'enclave' | 'deployment' | 'annotateEnclave'> & {
  readonly reader: Pick<Cluster['reader'], 'get'>;
};

export interface AdmissionCall {
  readonly principal: Principal;
  readonly policy: AuthzPolicy;
  /** For every request to the Kubernetes API on behalf of this call. */
  readonly kube: CallOptions;
}

interface Subject extends Named {
  readonly enclave?: Manifest | undefined;
  readonly tentacle?: Manifest | undefined;
}

export function createAdmission(cluster: AdmissionCluster, { principal, policy, kube }: AdmissionCall): Admission {
  let record: AdmissionRecord = { decision: 'not-judged', reason: 'the call ended before it was judged' };

  function note(decision: AdmissionRecord['decision'], reason: string, { enclaveName, name }: Named): void {
    record = {
      decision,
      reason,
      ...(enclaveName === undefined ? {} : { enclave: enclaveName }),
      ...(name === undefined ? {} : { tentacle: name }),
    };
  }

  function explain(operation: OperationName, enclave?: Manifest, tentacle?: Manifest): Decision {
    return decide({
      principal,
      policy,
      operation,
      ...(enclave ? { enclave: annotationsOf(enclave) } : {}),
      ...(tentacle ? { tentacle: annotationsOf(tentacle) } : {}),
    });
  }

  function judge(operation: OperationName, subject: Subject): Decision {
    const decision = explain(operation, subject.enclave, subject.tentacle);
    note(decision.allowed ? 'allowed' : 'denied', decision.reason, subject);
    return decision;
  }

  function require(operation: OperationName, subject: Subject): void {
    const decision = judge(operation, subject);
    if (!decision.allowed) throw refusal(decision, subject);
  }

  /** An enclave owned by an e-mail address alone becomes that of the first who logs in with it, for good. */
  async function claimed(enclave: Manifest): Promise<Manifest> {
    if (principal.kind !== 'oidc' || !policy.enabled || !mayClaim(principal, annotationsOf(enclave))) return enclave;
    const { name } = ownerIdentity(principal);
    const pin = (live: Manifest): Record<string, string> => {
      const annotations = annotationsOf(live);
      if (!mayClaim(principal, annotations)) return {};
      // A name that is there may be written in Git: over it the claim would be a conflict, with every call.
      const named = annotations[annotationKeys.ownerName] ? undefined : name;
      return { [annotationKeys.ownerSub]: principal.sub, ...(named ? { [annotationKeys.ownerName]: named } : {}) };
    };
    const claim = { ...kube, stamps: authorStamps(principal) };
    return (await cluster.annotateEnclave(enclave.metadata.name, pin, claim)).after;
  }

  /** Not looked into any further: it would take longer than where there is nothing. */
  function refuseHidden(enclave: Manifest, place: Named): void {
    const [reading, creating] = [explain('enclave_info', enclave), explain('wf_create', enclave)];
    if (reading.allowed || creating.allowed || reading.code !== 'not_found' || creating.code !== 'not_found') return;
    note('denied', reading.reason, place);
    throw refusal(reading, place);
  }

  async function read(enclaveName: string, name?: string) {
    const found = await cluster.enclave(enclaveName, kube);
    if (!found) {
      // A namespace that is not ours is not looked into, so nothing in it can make a difference.
      note('not-judged', 'no such object of ours', { enclaveName, ...(name ? { name } : {}) });
      throw enclaveNotFound(enclaveName);
    }
    const enclave = await claimed(found);
    if (name !== undefined) refuseHidden(enclave, { enclaveName, name });
    const tentacle = name === undefined ? undefined : await cluster.deployment(enclaveName, name, kube);
    return { enclave, tentacle };
  }

  /** A tentacle that is there and hidden must not be told from one that could be created here. */
  async function updateOrCreate(
    enclaveName: string,
    name: string,
    [update, create]: readonly [OperationName, OperationName],
  ) {
    const { enclave, tentacle } = await read(enclaveName, name);
    const place = { enclaveName, name, enclave };
    if (tentacle) {
      const decision = judge(update, { ...place, tentacle });
      if (decision.allowed) return { enclave, tentacle };
      if (decision.code !== 'not_found') throw refusal(decision, place);
      const { reason } = decision;
      require(create, place);
      note('denied', reason, place);
      throw nameTaken(enclaveName, name);
    }
    require(create, place);
    return { enclave, tentacle };
  }

  return {
    general: (operation) => require(operation, {}),
    async enclave(operation, enclaveName) {
      const { enclave } = await read(enclaveName);
      require(operation, { enclaveName, enclave });
      return enclave;
    },
    async tentacle(operation, enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      const place = { enclaveName, name, enclave };
      if (tentacle) {
        const decision = judge(operation, { ...place, tentacle });
        if (decision.allowed) return { enclave, tentacle };
        // What the enclave alone refuses must not tell that a hidden tentacle is there.
        const reading = explain('wf_status', enclave, tentacle);
        throw refusal(!reading.allowed && reading.code === 'not_found' ? reading : decision, place);
      }
      // Only whether the enclave may be read: more would be told of what is missing than of what is hidden.
      require('enclave_info', place);
      note('not-judged', 'no such object of ours', { enclaveName, name });
      throw tentacleNotFound(enclaveName, name);
    },
    apply: (enclaveName, name) => updateOrCreate(enclaveName, name, ['wf_update', 'wf_create']),
    preview: (enclaveName, name) => updateOrCreate(enclaveName, name, ['wf_diff', 'wf_diff_new']),
    async removal(enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      const place = { enclaveName, name, enclave };
      if (tentacle) {
        const decision = judge('wf_remove', { ...place, tentacle });
        if (decision.allowed) return enclave;
        if (decision.code !== 'not_found') throw refusal(decision, place);
      }
      const remains = judge('wf_remove_remains', place);
      if (!remains.allowed) {
        throw remains.code === 'not_found' ? refusal(remains, place) : tentacleNotFound(enclaveName, name);
      }
      if (tentacle) note('allowed', 'nothing that the caller may know of is there; nothing was touched', place);
      return tentacle ? undefined : enclave;
    },
    async pod(operation, enclaveName, pod) {
      const { enclave } = await read(enclaveName);
      require(operation, { enclaveName, enclave });
      if (explain('enclave_sync', enclave).allowed) return;
      const found = await cluster.reader.get(
        { apiVersion: 'v1', kind: 'Pod', namespace: enclaveName, name: pod },
        kube,
      );
      const name = found?.metadata.labels?.[labelKeys.tentacle];
      const tentacle = name === undefined ? undefined : await cluster.deployment(enclaveName, name, kube);
      const isOwn = found && tentacle && isSince(found.metadata.creationTimestamp, tentacle);
      const readable = isOwn && judge(operation, { enclaveName, name: name ?? '', enclave, tentacle }).allowed;
      if (!readable) throw podNotFound(enclaveName, pod);
    },
    still(operation, enclave, tentacle) {
      // Of what is to be made there is nothing yet that could tell its name.
      const name = tentacle?.metadata.name ?? record.tentacle;
      const named = name === undefined ? {} : { name };
      require(operation, { enclaveName: enclave.metadata.name, enclave, tentacle, ...named });
    },
    may: (operation, enclave, tentacle) => explain(operation, enclave, tentacle).allowed,
    explain,
    get record() {
      return record;
    },
  };
}

export function annotationsOf(object: Manifest): Annotations {
  return object.metadata.annotations ?? {};
}
