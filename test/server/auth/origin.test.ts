import { describe, expect, it } from 'vitest';
import { originRefusal } from '../../../server/auth/origin.ts';

const rules = {
  externalHost: 'mcp.example.com',
  allowedOrigins: ['app.example.com', 'https://exact.example.com'],
  allowedHosts: ['gateway.example.com'],
};

describe('requests from a browser', () => {
  it.each([
    ['without Origin any Host goes', undefined, '10.1.2.3:30080'],
    ['localhost', 'http://localhost:3000', 'localhost:8080'],
    ['IPv6 loopback', 'http://[::1]:3000', '[::1]:8080'],
    ['the public host', 'https://mcp.example.com', 'mcp.example.com'],
    ['an allowed host name', 'https://app.example.com', 'gateway.example.com:443'],
    ['an allowed origin as a whole', 'https://exact.example.com', 'localhost'],
    ['case does not matter', 'HTTPS://APP.example.com', 'LOCALHOST'],
  ])('accepted: %s', (_what, origin, host) => {
    expect(originRefusal(origin, host, rules)).toBeUndefined();
  });

  it.each([
    ['another site', 'https://evil.example.com', 'localhost:8080'],
    ['a site whose name only ends alike', 'https://evilmcp.example.com.attacker.net', 'localhost'],
    ['a prefix of loopback', 'http://127.0.0.1.evil.com', 'localhost'],
    ['null, as sandboxed frames send it', 'null', 'localhost'],
    ['another scheme', 'file://localhost', 'localhost'],
    ['credentials in the origin', 'http://localhost@evil.com', 'localhost'],
    ['a rebound host', 'http://localhost:3000', 'evil.example.com'],
    ['no host', 'http://localhost:3000', undefined],
    ['a malformed host', 'http://localhost', 'a b'],
  ])('refused: %s', (_what, origin, host) => {
    expect(originRefusal(origin, host, rules)).toEqual(expect.any(String));
  });
});
