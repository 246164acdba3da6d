// A certified OpenID provider on loopback: `node provider.js '{"port":…,"audience":…,"redirectUri":…,"grants":{…}}'`.
// It has one public client for browsers and one with a secret, and any name with any password may sign in.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { port, audience, redirectUri, secret, grants } = JSON.parse(process.argv[2]);
const key = (kind, options, kid) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig',
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: 'explorer', token_endpoint_auth_method: 'none', redirect_uris: [redirectUri] },
    {
      client_id: 'service',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  cookies: { keys: [secret] },
  jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'rsa'), key('ec', { namedCurve: 'P-256' }, 'ec')] },
  extraTokenClaims: () => ({ ern_grants: grants }),
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: '', audience, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
provider.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
