import type { BackingServiceOptions, RendererOptions } from '../model/options.ts';
import type { ExoskeletonDependencyName } from './workflow.ts';

/** Where the service behind an exoskeleton dependency is; undefined where these renderer options have none. */
export function backingServiceOf(
  service: ExoskeletonDependencyName,
  options: Pick<RendererOptions, 'exoskeleton'>,
): BackingServiceOptions | undefined {
  const { postgres, nats, rustfs } = options.exoskeleton ?? {};
  return { 'tentacular-postgres': postgres, 'tentacular-nats': nats, 'tentacular-rustfs': rustfs }[service];
}
