import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';

/**
 * What violates Pod Security `restricted` in a pod's spec, written down from
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/ and from nothing in this project.
 */
export function violationsOfRestricted(spec: JsonObject): string[] {
  const found: string[] = [];
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[key] === true) found.push(key);
  const pod = objectOf(spec.securityContext);
  if (pod.sysctls !== undefined) found.push('sysctls');
  if (pod.runAsUser === 0) found.push('pod runs as root');
  for (const volume of listOf(spec.volumes)) {
    const kinds = Object.keys(volume).filter((key) => key !== 'name');
    const allowed = [
      'configMap',
      'csi',
      'downwardAPI',
      'emptyDir',
      'ephemeral',
      'persistentVolumeClaim',
      'projected',
      'secret',
    ];
    for (const kind of kinds) if (!allowed.includes(kind)) found.push(`volume ${kind}`);
  }
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => listOf(spec[key]));
  if (containers.length === 0) found.push('no container');
  for (const container of containers) {
    const context = objectOf(container.securityContext);
    const name = String(container.name);
    const add = (what: string): number => found.push(`${name}: ${what}`);
    const capabilities = objectOf(context.capabilities);
    if (context.privileged === true) add('privileged');
    if (context.allowPrivilegeEscalation !== false) add('privilege escalation');
    if (!listOfText(capabilities.drop).includes('ALL')) add('keeps capabilities');
    if (listOfText(capabilities.add).some((capability) => capability !== 'NET_BIND_SERVICE')) add('adds capabilities');
    if ((context.runAsNonRoot ?? pod.runAsNonRoot) !== true) add('may run as root');
    if (context.runAsUser === 0) add('runs as root');
    const seccomp = objectOf(context.seccompProfile ?? pod.seccompProfile).type;
    if (seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost') add(`seccomp ${String(seccomp)}`);
    if (context.procMount !== undefined && context.procMount !== 'Default') add('procMount');
    if (context.seLinuxOptions !== undefined || context.appArmorProfile !== undefined) add('SELinux or AppArmor');
    if (context.windowsOptions !== undefined) add('Windows options');
    for (const port of listOf(container.ports))
      if (port.hostPort !== undefined && port.hostPort !== 0) add('host port');
    for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const probe = objectOf(container[key]);
      for (const kind of ['httpGet', 'tcpSocket'])
        if (objectOf(probe[kind]).host !== undefined) add(`${key} names a host`);
    }
  }
  return found;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function listOfText(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
