import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../server/config.ts';
import { parseRendererOptions } from '../../server/renderer-options.ts';
import { version } from '../../server/version.ts';
import { projectRoot } from '../support/source-files.ts';
import { rendererOptions } from './support/renderer-options.ts';

const inCluster = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

describe('configuration', () => {
  it('defaults make a server in a cluster', () => {
    expect(readConfig({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' })).toEqual({
      port: 8080,
      metricsPort: 9090,
      authTokenFile: '/etc/tentacular/auth/token',
      rendererOptionsFile: '/etc/tentacular/options/renderer.json',
      namespace: 'tentacular-system',
      podName: 'tentacular-mcp',
      allowedHosts: [],
      allowedOrigins: [],
      authzEnabled: true,
      provisioners: 'everyone',
      logLevel: 'info',
      drainSeconds: 20,
      cluster: { kind: 'in-cluster', host: '10.0.0.1', port: 443 },
    });
  });

  it('outside a cluster the named context is used, never the current one', () => {
    const cluster = readConfig({ TENTACULAR_CONTEXT: 'kind-dev', KUBECONFIG: '/k' }).cluster;
    expect(cluster).toEqual({ kind: 'context', context: 'kind-dev', kubeconfig: '/k' });
    expect(() => readConfig({ KUBECONFIG: '/k' })).toThrow(/TENTACULAR_CONTEXT/);
  });

  it('lists are split, the external URL is its host, an empty variable is none', () => {
    const config = readConfig({
      TENTACULAR_CONTEXT: 'c',
      TENTACULAR_EXTERNAL_URL: 'https://MCP.example.com:8443/',
      TENTACULAR_ALLOWED_HOSTS: 'A.example.com, b.example.com,',
      TENTACULAR_ALLOWED_ORIGINS: '',
      TENTACULAR_AUTHZ_ENABLED: 'false',
    });
    expect(config).toMatchObject({
      externalHost: 'mcp.example.com',
      allowedHosts: ['a.example.com', 'b.example.com'],
      allowedOrigins: [],
      authzEnabled: false,
    });
  });

  it.each([
    ['nobody', []],
    ['everyone', 'everyone'],
    ['Ada@Example.com, client:CI,@example.com', ['ada@example.com', 'client:CI', '@example.com']],
  ])('provisioners may be %s', (text, provisioners) => {
    expect(readConfig({ ...inCluster, TENTACULAR_AUTHZ_PROVISIONERS: text })).toMatchObject({ provisioners });
  });

  it.each(['example.com', 'everyone,ada@example.com', 'client:', '@', 'ada@', 'a b@example.com'])(
    'provisioners may not be %j: a typing error must not open or shut the door',
    (text) => {
      const read = () => readConfig({ ...inCluster, TENTACULAR_AUTHZ_PROVISIONERS: text });
      expect(read).toThrow(/TENTACULAR_AUTHZ_PROVISIONERS: .* allowed: everyone, nobody/);
    },
  );

  it.each([
    ['HOSTS', 'gateway.example.com:443'],
    ['HOSTS', 'https://gateway.example.com'],
    ['HOSTS', '*.example.com'],
    ['HOSTS', '::1'],
    ['ORIGINS', 'app.example.com:3000'],
    ['ORIGINS', 'https://app.example.com/'],
    ['ORIGINS', 'https://app.example.com:443'],
    ['ORIGINS', 'https://*.example.com'],
  ])('what no browser could ever send is refused in TENTACULAR_ALLOWED_%s: %s', (list, text) => {
    const read = () => readConfig({ ...inCluster, [`TENTACULAR_ALLOWED_${list}`]: `ok.example.com,${text}` });
    expect(read).toThrow(new RegExp(`TENTACULAR_ALLOWED_${list}.*: must be hosts`));
  });

  it('hosts and origins may be names, addresses, and origins with a port', () => {
    const config = readConfig({
      ...inCluster,
      TENTACULAR_ALLOWED_HOSTS: '10.0.0.1,[fd00::1],gateway',
      TENTACULAR_ALLOWED_ORIGINS: 'App.example.com,https://app.example.com:8443,http://10.0.0.1',
    });
    expect(config.allowedHosts).toEqual(['10.0.0.1', '[fd00::1]', 'gateway']);
    expect(config.allowedOrigins).toEqual(['app.example.com', 'https://app.example.com:8443', 'http://10.0.0.1']);
  });

  it('all faults are told at once', () => {
    const read = () =>
      readConfig({
        TENTACULAR_PORT: '99999',
        TENTACULAR_AUTH_TOKEN_FILE: 'relative',
        TENTACULAR_LOG_LEVEL: 'loud',
        TENTACULAR_DRAIN_SECONDS: '0',
        TENTACULAR_EXTERNAL_URL: 'ftp://x',
        TENTACULAR_AUTHZ_ENABLED: 'maybe',
      });
    expect(read).toThrow(ConfigError);
    for (const variable of [
      'PORT',
      'AUTH_TOKEN_FILE',
      'LOG_LEVEL',
      'DRAIN_SECONDS',
      'EXTERNAL_URL',
      'AUTHZ_ENABLED',
      'CONTEXT',
    ]) {
      expect(read).toThrow(`TENTACULAR_${variable}:`);
    }
  });

  it('renderer options are checked strictly, all faults at once', () => {
    expect(parseRendererOptions(JSON.stringify(rendererOptions))).toEqual(rendererOptions);
    const broken = { ...rendererOptions, podCidrs: ['10.0.0.0/99'], engineImage: '', surprise: 1 };
    const parse = () => parseRendererOptions(JSON.stringify(broken));
    expect(parse).toThrow(/podCidrs/);
    expect(parse).toThrow(/engineImage/);
    expect(parse).toThrow(/surprise/);
    expect(() => parseRendererOptions('{')).toThrow(/not JSON/);
    expect(() => parseRendererOptions('[]')).toThrow('TENTACULAR_RENDERER_OPTIONS_FILE: (root): ');
  });

  it('renderer options that cdk8s synth refuses do not start the server either', () => {
    const start = (more: object) => () => parseRendererOptions(JSON.stringify({ ...rendererOptions, ...more }));
    expect(start({ podSecurityVersion: 'v1.33' })()).toMatchObject({ podSecurityVersion: 'v1.33' });
    expect(start({ podSecurityVersion: 'newest' })).toThrow(/podSecurityVersion/);
    // A DNS rule without a peer would open port 53 to everywhere.
    expect(start({ dns: { port: 53 } })).toThrow(/dns: names neither labels nor cidrs/);
    expect(start({ engineImage: 'not an image' })).toThrow(/engineImage/);
  });

  it('the version is the one of the package', () => {
    const json: unknown = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    expect(json).toMatchObject({ version });
  });
});
