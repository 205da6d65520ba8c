import { z } from 'zod';
import type { Fault } from './model/errors.ts';
import { parseCidr } from './model/ip.ts';
import type { JsonValue } from './model/json.ts';
import type { RendererOptions } from './model/options.ts';
import { imageRule, isImage } from './workflow/rules.ts';

const text = z.string().min(1).max(500);
const labels = z.record(z.string(), z.string()).readonly();
const port = z.int().min(1).max(65_535);
const cidr = z
  .string()
  .refine((value) => parseCidr(value) !== undefined, 'is no address range without host bits, like 10.244.0.0/16');
const cidrs = z.array(cidr).readonly();
const image = z.string().refine(isImage, `is not ${imageRule}`);
const backingService = z.strictObject({
  host: text,
  port,
  targetPort: port.exactOptional(),
  cidr: cidr.exactOptional(),
});

const schema = z.strictObject({
  engineImage: image,
  allowedEngineImages: z.array(text).readonly().exactOptional(),
  allowedSidecarImages: z.array(text).readonly().exactOptional(),
  runtimeClassName: text.exactOptional(),
  controlPlane: z.strictObject({
    namespace: text,
    serviceAccount: text,
    podLabels: labels,
    enclaveClusterRole: text.exactOptional(),
  }),
  dns: z
    .strictObject({
      namespaceLabels: labels.exactOptional(),
      podLabels: labels.exactOptional(),
      cidrs: cidrs.exactOptional(),
      port: port.exactOptional(),
    })
    // A rule without a peer would open the port to everywhere.
    .refine(
      (dns) => dns.namespaceLabels !== undefined || dns.podLabels !== undefined || (dns.cidrs ?? []).length > 0,
      'names neither labels nor cidrs of the DNS servers',
    ),
  podCidrs: cidrs,
  serviceCidrs: cidrs,
  nodeCidrs: cidrs,
  apiServerCidrs: cidrs.exactOptional(),
  moduleProxy: z
    .strictObject({
      kind: z.enum(['registry', 'esm']),
      url: z.url({ protocol: /^https?$/ }),
      namespace: text,
      podLabels: labels,
      port,
    })
    .exactOptional(),
  otlp: z.strictObject({ endpoint: z.url({ protocol: /^https?$/ }), namespace: text, port }).exactOptional(),
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
  podSecurityVersion: z
    .string()
    .regex(/^(?:latest|v1\.\d{1,3})$/, 'is neither a version like v1.30 nor latest')
    .exactOptional(),
});

/** Renderer options that come from outside: tentacular.yaml, the chart's renderer.json. Every fault at once. */
export function checkRendererOptions(
  value: JsonValue | undefined,
):
  | { readonly options: RendererOptions; readonly faults: readonly [] }
  | { readonly options?: never; readonly faults: readonly Fault[] } {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { options: parsed.data, faults: [] };
  return { faults: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })) };
}
