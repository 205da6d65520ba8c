/** What an enclave may use in all: a ResourceQuota. Kubernetes quantities. */
export interface QuotaPreset {
  readonly cpu: string;
  readonly memory: string;
  readonly storage: string;
}

export const quotaPresets = {
  small: { cpu: '1', memory: '2Gi', storage: '10Gi' },
  medium: { cpu: '2', memory: '4Gi', storage: '50Gi' },
  large: { cpu: '4', memory: '8Gi', storage: '100Gi' },
} as const satisfies Record<string, QuotaPreset>;

export type QuotaPresetName = keyof typeof quotaPresets;

/** True for the name of a preset: what an annotation holds may be anything. */
export function isQuotaPreset(text: string): text is QuotaPresetName {
  return Object.hasOwn(quotaPresets, text);
}

export const defaultQuotaPreset: QuotaPresetName = 'medium';

/** True for a preset that allows more than the default one. */
export function isAboveDefaultQuota(preset: QuotaPresetName): boolean {
  return Number(quotaPresets[preset].cpu) > Number(quotaPresets[defaultQuotaPreset].cpu);
}
