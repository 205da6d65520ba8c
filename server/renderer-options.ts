import { z } from 'zod';
import type { RendererOptions } from '../constructs/model/options.ts';
import { ConfigError } from './config.ts';

const labels = z.record(z.string(), z.string()).readonly();
const port = z.int().min(1).max(65_535);
const cidrs = z.array(z.union([z.cidrv4(), z.cidrv6()])).readonly();
const text = z.string().min(1);

const backingService = z.strictObject({
  host: text,
  port,
  targetPort: port.exactOptional(),
  cidr: z.union([z.cidrv4(), z.cidrv6()]).exactOptional(),
});

const schema = z.strictObject({
  engineImage: text,
  allowedEngineImages: z.array(text).readonly().exactOptional(),
  allowedSidecarImages: z.array(text).readonly().exactOptional(),
  runtimeClassName: text.exactOptional(),
  controlPlane: z.strictObject({
    namespace: text,
    serviceAccount: text,
    podLabels: labels,
    enclaveClusterRole: text.exactOptional(),
  }),
  dns: z.strictObject({
    namespaceLabels: labels.exactOptional(),
    podLabels: labels.exactOptional(),
    cidrs: cidrs.exactOptional(),
    port: port.exactOptional(),
  }),
  podCidrs: cidrs,
  serviceCidrs: cidrs,
  nodeCidrs: cidrs,
  apiServerCidrs: cidrs.exactOptional(),
  moduleProxy: z
    .strictObject({ kind: z.enum(['registry', 'esm']), url: z.url(), namespace: text, podLabels: labels, port })
    .exactOptional(),
  otlp: z.strictObject({ endpoint: z.url(), namespace: text, port }).exactOptional(),
  exoskeleton: z
    .strictObject({
      postgres: backingService.exactOptional(),
      nats: backingService.exactOptional(),
      rustfs: backingService.exactOptional(),
    })
    .exactOptional(),
  imagePullSecrets: z.array(text).readonly().exactOptional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).exactOptional(),
  nodeSelector: labels.exactOptional(),
  tolerations: z
    .array(
      z.strictObject({
        key: text.exactOptional(),
        operator: z.enum(['Exists', 'Equal']).exactOptional(),
        value: z.string().exactOptional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
        tolerationSeconds: z.int().min(0).exactOptional(),
      }),
    )
    .readonly()
    .exactOptional(),
});

/** Renderer options from the JSON that the chart mounts. Throws ConfigError with all faults. */
export function parseRendererOptions(json: string): RendererOptions {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ConfigError(['TENTACULAR_RENDERER_OPTIONS_FILE: is not JSON']);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(
      (issue) => `TENTACULAR_RENDERER_OPTIONS_FILE: ${issue.path.join('.') || '(root)'}: ${issue.message}`,
    ),
  );
}
