// The typed L1 classes alone: the index of cdk8s-plus would load every L2 class too, which costs start-up time.
export {
  ApiObject,
  App,
  Chart,
  Lazy,
} from 'cdk8s';
export type {
  Container,
  EnvVar,
  NetworkPolicyEgressRule,
  NetworkPolicyPeer,
  PodSpec,
  Probe,
  ResourceRequirements,
  SecurityContext,
  Volume,
  VolumeMount,
} from 'cdk8s-plus-30/lib/imports/k8s.js';
export {
  IntOrString,
  KubeConfigMap,
  KubeDeployment,
  KubeLimitRange,
  KubeNamespace,
  KubeNetworkPolicy,
  KubeResourceQuota,
  KubeRoleBinding,
  KubeService,
  KubeServiceAccount,
  Quantity,
} from 'cdk8s-plus-30/lib/imports/k8s.js';
