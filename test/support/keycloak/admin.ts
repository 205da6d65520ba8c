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
  /** Gives a client the scope that puts the MCP server into the audience of its tokens. */
  giveAudience(clientId: string): Promise<void>;
  /** A scope that the client may ask for; discovery does not list it. */
  addScope(clientId: string, scope: string): Promise<void>;
  /** One more address to which the client may send people back. */
  addRedirectUri(clientId: string, uri: string): Promise<void>;
  /** Takes the e-mail address of a user for verified. */
  verifyEmail(name: string): Promise<void>;
  /** Lets this host register any client, for as long as `during` runs: what somebody may click by mistake. */
  withOpenRegistration<T>(during: () => Promise<T>): Promise<T>;
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

  const clientPath = async (clientId: string) =>
    `/clients/${await idOf(`/clients?clientId=${encodeURIComponent(clientId)}`, 'clientId', clientId)}`;
  const userPath = async (name: string) => `/users/${await idOf(`/users?username=${name}`, 'username', name)}`;
  async function giveAudience(clientId: string): Promise<void> {
    const scope = await idOf('/client-scopes', 'name', audienceScope);
    await call('PUT', `${await clientPath(clientId)}/default-client-scopes/${scope}`);
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
      if (audience) await giveAudience(clientId);
      const secret: unknown = await (await call('GET', `${await clientPath(clientId)}/client-secret`)).json();
      if (!isJsonObject(secret) || typeof secret.value !== 'string') throw new Error(`${clientId} has no secret`);
      return secret.value;
    },
    giveAudience,
    async addScope(clientId, scope) {
      const attributes = { 'include.in.token.scope': 'true', 'include.in.openid.provider.metadata': 'false' };
      await call('POST', '/client-scopes', { name: scope, protocol: 'openid-connect', attributes });
      const id = await idOf('/client-scopes', 'name', scope);
      await call('PUT', `${await clientPath(clientId)}/optional-client-scopes/${id}`);
    },
    async addRedirectUri(clientId, uri) {
      const path = await clientPath(clientId);
      const client: unknown = await (await call('GET', path)).json();
      if (!isJsonObject(client) || !Array.isArray(client.redirectUris)) throw new Error(`${clientId} is no client`);
      await call('PUT', path, { ...client, redirectUris: [...client.redirectUris, uri] });
    },
    async verifyEmail(name) {
      const path = await userPath(name);
      const user: unknown = await (await call('GET', path)).json();
      if (!isJsonObject(user)) throw new Error(`${name} is no user`);
      await call('PUT', path, { ...user, emailVerified: true });
    },
    async withOpenRegistration(during) {
      const policies = await list(
        '/components?type=org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy',
      );
      const hosts = policies.find(({ name, subType }) => name === 'Trusted Hosts' && subType === 'anonymous');
      if (!hosts) throw new Error('the realm has no policy of trusted hosts');
      const open = {
        'trusted-hosts': ['127.0.0.1'],
        'host-sending-registration-request-must-match': ['true'],
        'client-uris-must-match': ['false'],
      };
      await call('PUT', `/components/${hosts.id}`, { ...hosts, config: open });
      try {
        return await during();
      } finally {
        // A key that is left out stays as it was.
        const config = { ...(isJsonObject(hosts.config) ? hosts.config : {}), 'trusted-hosts': [] };
        await call('PUT', `/components/${hosts.id}`, { ...hosts, config });
      }
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
      await call('POST', `${await userPath(name)}/logout`);
    },
  };
}
