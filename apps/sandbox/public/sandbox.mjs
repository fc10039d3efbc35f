const kinds = {
  secretBasic: 'Secret, HTTP Basic',
  secretPost: 'Secret in the body',
  secretJwt: 'Secret that signs a JWT',
  ping: 'Secret, with ping delivery',
  tlsClientAuth: 'Mutual TLS, issued certificate',
  selfSignedTls: 'Mutual TLS, self-signed',
  privateKeyJwt: 'Private key JWT',
  signedRequest: 'Secret, signed requests',
  dpop: 'Secret, tokens bound by DPoP',
  fapi: 'FAPI, private key JWT',
  fapiMtls: 'FAPI, mutual TLS',
};

const answer = await fetch('/sandbox.json');
const { issuer, clients } = await answer.json();
document.getElementById('issuer').textContent = issuer;
document.getElementById('clients').replaceChildren(
  ...Object.entries(clients).map(([kind, { clientId, clientSecret }]) => {
    const line = document.getElementById('client-template').content.cloneNode(true);
    line.querySelector('.client-kind').textContent = kinds[kind] ?? kind;
    line.querySelector('.client-id').textContent = clientId;
    line.querySelector('.client-secret').textContent = clientSecret ?? '';
    return line;
  }),
);
