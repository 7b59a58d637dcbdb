// @medplum/core against a closed server: node closed_medplum.mjs; what it needs comes as lines of JSON, so does what
// it saw. With a secret it logs in as a client, otherwise a person agrees.
import { createInterface } from 'node:readline/promises';
import { MedplumClient } from '@medplum/core';

const kept = new Map();
globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => JSON.parse((await lines.next()).value);
const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { root, app, secret, redirect, scope, patient, other } = await told();
const client = new MedplumClient({
  baseUrl: `${root}/`, fhirUrlPath: 'fhir', authorizeUrl: `${root}/auth/authorize`, tokenUrl: `${root}/auth/token`,
  clientId: app, cacheTime: 0, fetch,
});
const outcome = (error) => [error.outcome?.resourceType, error.outcome?.issue[0].code];
const seen = {};
seen.before = await client.readResource('Patient', patient).catch(outcome);

if (secret) {
  await client.startClientLogin(app, secret);
} else {
  globalThis.window = { btoa }; // PKCE is for browsers in this client
  const { codeChallenge, codeChallengeMethod } = await client.startPkce();
  delete globalThis.window;
  const asked = new URL(client.getAuthorizeUrl());
  asked.search = new URLSearchParams({
    response_type: 'code', client_id: app, redirect_uri: redirect, scope, state: sessionStorage.getItem('pkceState'),
    aud: `${root}/fhir`, code_challenge: codeChallenge, code_challenge_method: codeChallengeMethod,
  });
  tell({ authorize: asked });
  const back = new URL((await told()).redirected).searchParams;
  if (back.get('state') !== sessionStorage.getItem('pkceState')) throw new Error('another state');
  await client.processCode(back.get('code'), { clientId: app, redirectUri: redirect });
  const first = client.getAccessToken();
  const ended = new URLSearchParams({ token: first, client_id: app });
  await fetch(`${root}/auth/revoke`, { method: 'POST', body: ended });
  await client.readResource('Patient', patient); // 401: the client refreshes by itself, then asks again
  seen.refreshed = client.getAccessToken() !== first;
}

const search = async (type, query) => (await client.searchResources(type, query)).map((one) => one.id).sort();
seen.read = (await client.readResource('Patient', patient)).name[0].family;
seen.other = await client.readResource('Patient', other).then((one) => one.name[0].family, outcome);
seen.patients = await search('Patient');
seen.observations = await search('Observation');
seen.one = (await client.searchOne('Observation', { patient: `Patient/${patient}`, category: 'laboratory' }))?.id;
seen.refused = await client.searchResources('Encounter').catch(outcome);
const graphql = `{ Patient(id: "${patient}") { name { family } } }`;
seen.graphql = (await client.graphql(graphql)).data.Patient.name[0].family;

const body = {
  resourceType: 'Observation', status: 'final', code: { text: 'plum' }, subject: { reference: `Patient/${patient}` },
};
const made = await client.createResource(body);
seen.updated = (await client.updateResource({ ...made, status: 'amended' })).meta.versionId;
seen.patched = (await client.patchResource('Observation', made.id, [{ op: 'replace', path: '/status', value: 'corrected' }])).status;
await client.deleteResource('Observation', made.id);
seen.gone = await client.readResource('Observation', made.id).catch(outcome);
if (!secret) {
  seen.forbidden = await client.createResource({ ...body, subject: { reference: `Patient/${other}` } }).catch(outcome);
}
tell(seen);
process.exit(0);
