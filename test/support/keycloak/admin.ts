import { isJsonObject, type JsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import type { Keycloak } from './keycloak.ts';

/** The administrator's hands: Keycloak's admin API, for what a person would click. */
export interface KeycloakAdmin {
  /** The audience that the shipped client puts into its tokens: what the chart does when `externalURL` changes. */
  setResource(resource: string): Promise<void>;
  resource(): Promise<string>;
  addUser(user: { readonly name: string; readonly password: string; readonly emailVerified: boolean }): Promise<void>;
  /** A confidential client for client-credentials, with the audience of the MCP server unless told otherwise. */
  addService(clientId: string, options?: { readonly audience?: boolean }): Promise<string>;
  /** A new signing key that is used from now on. */
  rotateKeys(): Promise<void>;
  /** Ends every session of a user, as an administrator does when somebody leaves. */
  endSessions(name: string): Promise<void>;
}

const audienceScope = 'tentacular-audience';
const audienceKey = 'included.custom.audience';

export function keycloakAdmin({ url, adminPassword }: Keycloak): KeycloakAdmin {
  const realm = `${url}/admin/realms/tentacular`;

  async function call(method: string, path: string, body?: JsonValue): Promise<Response> {
    const response = await fetch(path.startsWith('http') ? path : `${realm}${path}`, {
      method,
      headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async function adminToken(): Promise<string> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: adminPassword };
    const place = `${url}/realms/master/protocol/openid-connect/token`;
    const response = await fetch(place, { method: 'POST', body: new URLSearchParams(form) });
    const answer: unknown = await response.json();
    if (!isJsonObject(answer) || typeof answer.access_token !== 'string')
      throw new Error(`no admin token: ${response.status}`);
    return answer.access_token;
  }

  async function list(path: string): Promise<JsonObject[]> {
    return (await (await call('GET', path)).json()) as JsonObject[];
  }
  async function idOf(path: string, key: string, value: string): Promise<string> {
    const found = (await list(path)).find((item) => item[key] === value);
    if (typeof found?.id !== 'string') throw new Error(`there is no ${value} at ${path}`);
    return found.id;
  }

  async function audienceMapper() {
    const scope = await idOf('/client-scopes', 'name', audienceScope);
    const mappers = `/client-scopes/${scope}/protocol-mappers/models`;
    const mapper = (await list(mappers)).find(({ name }) => name === 'mcp-resource');
    if (!mapper || !isJsonObject(mapper.config)) throw new Error('the audience scope has no mapper');
    return { path: `${mappers}/${mapper.id}`, mapper, config: mapper.config };
  }

  return {
    async setResource(resource) {
      const { path, mapper, config } = await audienceMapper();
      await call('PUT', path, { ...mapper, config: { ...config, [audienceKey]: resource } });
    },
    resource: async () => String((await audienceMapper()).config[audienceKey]),
    async addUser({ name, password, emailVerified }) {
      const credentials = [{ type: 'password', value: password, temporary: false }];
      const names = { username: name, firstName: name, lastName: 'Tester', email: `${name}@example.com` };
      await call('POST', '/users', { ...names, emailVerified, enabled: true, credentials });
    },
    async addService(clientId, { audience = true } = {}) {
      const flows = { standardFlowEnabled: false, directAccessGrantsEnabled: false, serviceAccountsEnabled: true };
      await call('POST', '/clients', { clientId, enabled: true, publicClient: false, ...flows });
      const id = await idOf(`/clients?clientId=${clientId}`, 'clientId', clientId);
      if (audience) {
        const scope = await idOf('/client-scopes', 'name', audienceScope);
        await call('PUT', `/clients/${id}/default-client-scopes/${scope}`);
      }
      const secret: unknown = await (await call('GET', `/clients/${id}/client-secret`)).json();
      if (!isJsonObject(secret) || typeof secret.value !== 'string') throw new Error(`${clientId} has no secret`);
      return secret.value;
    },
    async rotateKeys() {
      const parent: unknown = await (await call('GET', realm)).json();
      if (!isJsonObject(parent)) throw new Error('the realm is no object');
      const priority = String(1000 + Math.floor(performance.now()));
      const config = { priority: [priority], enabled: ['true'], active: ['true'], algorithm: ['RS256'] };
      const provider = { providerId: 'rsa-generated', providerType: 'org.keycloak.keys.KeyProvider' };
      await call('POST', '/components', { name: `rotated-${priority}`, parentId: parent.id, ...provider, config });
    },
    async endSessions(name) {
      await call('POST', `/users/${await idOf(`/users?username=${name}`, 'username', name)}/logout`);
    },
  };
}
