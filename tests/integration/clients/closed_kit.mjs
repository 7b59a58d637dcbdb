// fhir-kit-client against a closed server: node closed_kit.mjs APP; what it needs comes as lines of JSON, so does
// what it saw. APP is `person` (code with PKCE, a secret in the header) or `service` (an assertion signed with ES384).
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Client } from 'fhir-kit-client';
import { SignJWT, importJWK } from 'jose';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => JSON.parse((await lines.next()).value);
const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { base, app, secret, redirect, scope, key, patient, other } = await told();
const client = new Client({ baseUrl: base });
const seen = {};
seen.before = await client.search({ resourceType: 'Patient' }).catch(outcome);
const { authorizeUrl, tokenUrl } = await client.smartAuthMetadata();

async function outcome(error) {
  return [error.response.status, error.response.data.resourceType, error.response.data.issue[0].code];
}

async function token(form, headers = {}) {
  const answer = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form), headers });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function ofPerson() {
  const verifier = randomBytes(48).toString('base64url');
  const state = randomUUID();
  const asked = new URL(authorizeUrl);
  asked.search = new URLSearchParams({
    response_type: 'code', client_id: app, redirect_uri: redirect, scope, state, aud: base,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  tell({ authorize: asked });
  const back = new URL((await told()).redirected).searchParams;
  if (back.get('state') !== state) throw new Error('another state');
  const basic = Buffer.from(`${app}:${secret}`).toString('base64');
  const form = { grant_type: 'authorization_code', code: back.get('code'), redirect_uri: redirect, code_verifier: verifier };
  return token(form, { authorization: `Basic ${basic}` });
}

async function ofService() {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES384', kid: key.kid, typ: 'JWT' })
    .setIssuer(app).setSubject(app).setAudience(String(tokenUrl)).setJti(randomUUID()).setExpirationTime('4m')
    .sign(await importJWK(key, 'ES384'));
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return token({ grant_type: 'client_credentials', scope, client_assertion: assertion, client_assertion_type });
}

const given = await (secret ? ofPerson() : ofService());
client.bearerToken = given.access_token;
seen.scope = given.scope;
seen.patient = given.patient;

const ids = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource.id).sort();
const search = (resourceType, searchParams) => client.search({ resourceType, searchParams }).then(ids, outcome);
seen.read = (await client.read({ resourceType: 'Patient', id: patient })).name[0].family;
seen.other = await client.read({ resourceType: 'Patient', id: other }).then((one) => one.name[0].family, outcome);
seen.patients = await search('Patient');
seen.observations = await search('Observation');
seen.theirs = await search('Observation', { patient: other });
seen.included = await search('Observation', { _id: 'pulse', _include: 'Observation:subject' });
seen.refused = await client.search({ resourceType: 'Encounter' }).catch(outcome);

const body = {
  resourceType: 'Observation', status: 'final', code: { text: 'kit' }, subject: { reference: `Patient/${patient}` },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
};
seen.created = await client.create({ resourceType: 'Observation', body }).then((one) => one.id, outcome);
if (typeof seen.created === 'string') {
  const id = seen.created;
  const found = await client.read({ resourceType: 'Observation', id });
  seen.updated = (await client.update({ resourceType: 'Observation', id, body: { ...found, status: 'amended' } })).meta.versionId;
  const jsonPatch = [{ op: 'replace', path: '/status', value: 'corrected' }];
  seen.patched = (await client.patch({ resourceType: 'Observation', id, jsonPatch })).status;
  await client.delete({ resourceType: 'Observation', id });
  seen.gone = await client.read({ resourceType: 'Observation', id }).catch(outcome);
  seen.created = true;
}
tell(seen);
process.exit(0);
