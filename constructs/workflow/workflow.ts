import type { JsonObject } from '../model/json.ts';

/** A validated workflow.yaml with every default filled in. Durations are milliseconds. */
export interface Workflow {
  readonly name: string;
  /** Semver; `"1.0"` is accepted and becomes `1.0.0`. */
  readonly version: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly environment?: string;
  readonly triggers: readonly Trigger[];
  readonly nodes: Readonly<Record<string, WorkflowNode>>;
  readonly edges: readonly Edge[];
  readonly config: WorkflowConfig;
  readonly deployment: DeploymentSection;
  readonly contract: Contract;
  readonly sidecars: readonly Sidecar[];
}

export interface WorkflowNode {
  /** Path of the module relative to the workflow's folder, e.g. `nodes/fetch.ts`. */
  readonly path: string;
  readonly description?: string;
  /** Default: the timeout of the whole run. */
  readonly timeoutMs?: number;
  /** Tries after the first. Default: `config.retries`. */
  readonly retries?: number;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export type Trigger = ManualTrigger | CronTrigger | QueueTrigger;

export interface ManualTrigger {
  readonly type: 'manual';
}

export interface CronTrigger {
  readonly type: 'cron';
  readonly schedule: string;
  /** Lower-case DNS label; required where a workflow has several cron triggers. */
  readonly name?: string;
  /** IANA zone. Default UTC. */
  readonly timezone?: string;
  readonly overlap?: 'skip' | 'allow';
  readonly catchUp?: { readonly mode: 'none' | 'last' | 'all'; readonly window?: string; readonly max?: number };
  /** Duration as text, e.g. `30s`. */
  readonly jitter?: string;
  readonly deadline?: string;
}

export interface QueueTrigger {
  readonly type: 'queue';
  readonly subject: string;
}

export interface WorkflowConfig {
  /** Of the whole run. Default 30 000. */
  readonly timeoutMs: number;
  /** Default 0. */
  readonly retries: number;
  /** Default 1. */
  readonly maxConcurrency: number;
  /** Every key of `config` as written, the unknown ones too: what nodes see as `ctx.config`. */
  readonly values: JsonObject;
}

export interface Resources {
  readonly requests?: { readonly cpu?: string; readonly memory?: string };
  readonly limits?: { readonly cpu?: string; readonly memory?: string };
}

export interface DeploymentSection {
  readonly enclave?: string;
  readonly mode?: string;
  readonly image?: string;
  readonly resources?: Resources;
}

export interface Contract {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, Dependency>>;
}

export type Dependency = HostDependency | DynamicTargetDependency | ExoskeletonDependency;

/** One host that nodes may reach. */
export interface HostDependency {
  readonly type: 'host';
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** The pod's port behind an in-cluster Service. Default: `port`. */
  readonly targetPort?: number;
  readonly cidr?: string;
  readonly auth?: DependencyAuth;
}

/** An address range and ports instead of a name. */
export interface DynamicTargetDependency {
  readonly type: 'dynamic-target';
  readonly cidr: string;
  readonly ports: readonly { readonly port: number; readonly protocol: 'TCP' | 'UDP' }[];
  readonly reason: string;
}

export const exoskeletonDependencies = ['tentacular-postgres', 'tentacular-nats', 'tentacular-rustfs'] as const;
export type ExoskeletonDependencyName = (typeof exoskeletonDependencies)[number];

/** A corner of a backing service, filled in by its registrar. */
export interface ExoskeletonDependency {
  readonly type: 'exoskeleton';
  readonly service: ExoskeletonDependencyName;
}

export interface DependencyAuth {
  readonly type: string;
  /** `service.key` in the tentacle's Secret. */
  readonly secret: string;
}

export interface Sidecar {
  readonly name: string;
  readonly image: string;
  /** 1024-65535, not 8080. */
  readonly port: number;
  readonly protocol: 'http' | 'grpc';
  readonly healthPath?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly resources?: Resources;
}
