const prefix = 'tentacular.io/';

/** Prefix of the annotations that we own on objects. */
export const annotationPrefix = prefix;
/** The retired prefix: never read as data, never written, only pointed out. */
export const retiredAnnotationPrefix = 'tentacular.dev/';

/** Every annotation key of the model; `docs` of each group in model.md. */
export const annotationKeys = {
  ownerSub: `${prefix}owner-sub`,
  ownerEmail: `${prefix}owner-email`,
  ownerName: `${prefix}owner-name`,
  mode: `${prefix}mode`,
  createdAt: `${prefix}created-at`,
  updatedAt: `${prefix}updated-at`,
  updatedBySub: `${prefix}updated-by-sub`,
  updatedByEmail: `${prefix}updated-by-email`,
  // namespace only
  enclaveMembers: `${prefix}enclave-members`,
  defaultMode: `${prefix}default-mode`,
  enclaveStatus: `${prefix}enclave-status`,
  quotaPreset: `${prefix}quota-preset`,
  platform: `${prefix}platform`,
  channelId: `${prefix}channel-id`,
  channelName: `${prefix}channel-name`,
  // Deployment only
  authProvider: `${prefix}auth-provider`,
  deployedBy: `${prefix}deployed-by`,
  deployedVia: `${prefix}deployed-via`,
  deployedAt: `${prefix}deployed-at`,
  description: `${prefix}description`,
  tags: `${prefix}tags`,
  environment: `${prefix}environment`,
  cronSchedule: `${prefix}cron-schedule`,
  schedulePolicy: `${prefix}schedule-policy`,
  gitSha: `${prefix}git-sha`,
  gitUrl: `${prefix}git-url`,
  specHash: `${prefix}spec-hash`,
  revision: `${prefix}revision`,
  managedByGit: `${prefix}managed-by-git`,
} as const;

/** Set when a Deployment is created; an update copies them from the live object and never changes them. */
export const createOnlyAnnotations: readonly string[] = [
  annotationKeys.ownerSub,
  annotationKeys.ownerEmail,
  annotationKeys.ownerName,
  annotationKeys.authProvider,
  annotationKeys.createdAt,
  annotationKeys.mode,
];

/** Stamped just before a write that changes something; never rendered. */
export const applyStampAnnotations: readonly string[] = [
  annotationKeys.deployedBy,
  annotationKeys.deployedVia,
  annotationKeys.deployedAt,
  annotationKeys.updatedAt,
  annotationKeys.updatedBySub,
  annotationKeys.updatedByEmail,
];
