import { expect, it } from 'vitest';
import { authHeader } from '../../../engine/context/authorize.ts';

it.each([
  ['bearer', 't0ken', ['authorization', 'Bearer t0ken']],
  ['bearer', 't0ken\n', ['authorization', 'Bearer t0ken']],
  ['basic', 'user:pä55', ['authorization', 'Basic dXNlcjpww6Q1NQ==']],
  ['basic', { username: 'user', password: 'pass' }, ['authorization', 'Basic dXNlcjpwYXNz']],
  ['api-key', 'k', ['x-api-key', 'k']],
  ['header-x-gitlab-token', 'k', ['x-gitlab-token', 'k']],
  ['password', 'p', undefined],
  ['none', undefined, undefined],
])('%s with %o', (type, secret, header) => {
  expect(authHeader('api', type, secret)).toEqual(header);
});

it.each([
  ['bearer', 'two\nlines', 'dependency api: auth type bearer needs a secret that is text of one line'],
  ['bearer', { token: 'x' }, 'dependency api: auth type bearer needs a secret that is text of one line'],
  ['api-key', '  ', 'dependency api: auth type api-key needs a secret that is text of one line'],
  ['basic', { user: 'canary' }, 'dependency api: auth type basic needs username and password in its secret'],
])('%s refuses %o, without showing it', (type, secret, message) => {
  expect(() => authHeader('api', type, secret)).toThrow(new Error(message));
});
