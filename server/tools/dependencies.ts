import type { RendererOptions } from '../../constructs/model/options.ts';
import type { Cluster } from '../cluster/index.ts';
import type { RunRecorder } from './run-record.ts';

/** What the handlers work with; made once by the composition root. */
export interface ToolDependencies {
  readonly cluster: Cluster;
  readonly rendererOptions: RendererOptions;
  /** Version of this server, e.g. `0.1.0`; stored in revisions as `tentacular/<version>`. */
  readonly version: string;
  readonly runs: RunRecorder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Fresh id of a run. */
  readonly newId: () => string;
}
