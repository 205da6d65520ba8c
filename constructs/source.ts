import type { JsonObject } from './model/json.ts';
import type { Manifest } from './model/manifest.ts';
import type { Workflow } from './workflow/workflow.ts';

/** What a tentacle is rendered from. Nothing else but RendererOptions has any influence on the result. */
export interface TentacleSource {
  readonly enclave: string;
  /** Name of the tentacle. Default: the workflow's own. */
  readonly name?: string;
  /** workflow.yaml as text (faults then carry line and column), or as an object. */
  readonly workflow: string | JsonObject;
  /** Text of every file beside workflow.yaml, by relative path with `/`: `nodes/fetch.ts`. */
  readonly files: Readonly<Record<string, string>>;
  /** Overrides `deployment.image`. */
  readonly image?: string;
  readonly gitSha?: string;
  readonly gitUrl?: string;
  /** Set by `cdk8s synth` only: renders `managed-by-git: "true"`, and `mode` where the workflow declares one. Default false. */
  readonly managedByGit?: boolean;
}

/** The rendered set of one tentacle: what is compared, applied, stored in a revision and pruned against. */
export interface RenderedTentacle {
  readonly enclave: string;
  readonly name: string;
  readonly version: string;
  readonly workflow: Workflow;
  /** In the order of applying, the Deployment last; never a Secret. The Deployment carries `spec-hash`. */
  readonly manifests: readonly Manifest[];
  /** sha256 (hex) over the set in canonical order, without the hash itself. */
  readonly specHash: string;
  /** sha256 (hex) over workflow and files as given. */
  readonly sourceHash: string;
  /** Services whose credentials the contract expects as keys of `<name>-secrets`, sorted. */
  readonly secretServices: readonly string[];
  /** What is valid but deserves a look, in plain sentences. */
  readonly warnings: readonly string[];
}

/** What an enclave is rendered from. Who and when are stamped on by the server afterwards. */
export interface EnclaveSource {
  readonly name: string;
  readonly ownerSub?: string;
  readonly ownerEmail?: string;
  readonly ownerName?: string;
  readonly members?: readonly string[];
  readonly mode?: string;
  readonly defaultMode?: string;
  readonly quotaPreset?: string;
  readonly platform?: string;
  readonly channelId?: string;
  readonly channelName?: string;
  readonly status?: 'active' | 'frozen';
}

export interface RenderedEnclave {
  readonly name: string;
  /** In the order of applying, the Namespace first, then the RoleBinding. */
  readonly manifests: readonly Manifest[];
  readonly specHash: string;
}
