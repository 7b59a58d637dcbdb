// fhir-kit-client against a server: node fhir_kit_client.mjs BASE; prints what it saw as JSON.
import { Client } from 'fhir-kit-client';

const client = new Client({ baseUrl: process.argv[2] });
const family = `Kit${Date.now()}`;
const seen = {};

const statement = await client.capabilityStatement();
seen.version = statement.fhirVersion;

const made = [];
for (let number = 0; number < 5; number += 1) {
  const body = { resourceType: 'Patient', name: [{ family, given: [`No${number}`] }], birthDate: '1980-02-29' };
  made.push(await client.create({ resourceType: 'Patient', body }));
}
const id = made[0].id;
seen.read = (await client.read({ resourceType: 'Patient', id })).name[0].family === family;

let page = await client.search({ resourceType: 'Patient', searchParams: { family, _count: 2, _sort: '_id' } });
const found = [];
seen.pages = 0;
while (page) {
  seen.pages += 1;
  found.push(...page.entry.filter((entry) => entry.search.mode === 'match').map((entry) => entry.resource.id));
  page = page.link.some((link) => link.relation === 'next') ? await client.nextPage({ bundle: page }) : null;
}
seen.found = new Set(found).size;
const posted = await client.search({ resourceType: 'Patient', searchParams: { family }, options: { postSearch: true } });
seen.posted = posted.entry.length;

await client.patch({ resourceType: 'Patient', id, jsonPatch: [{ op: 'add', path: '/active', value: true }] });
const patched = await client.read({ resourceType: 'Patient', id });
seen.patched = [patched.active, patched.meta.versionId];
await client.update({ resourceType: 'Patient', id, body: { ...patched, gender: 'other' } });
seen.vread = (await client.vread({ resourceType: 'Patient', id, version: '2' })).gender === undefined;
seen.history = (await client.history({ resourceType: 'Patient', id })).entry.length;
seen.typeHistory = (await client.history({ resourceType: 'Patient' })).type;
seen.systemHistory = (await client.history()).type;

const fullUrl = 'urn:uuid:00000000-0000-4000-8000-0000000000aa';
const answer = await client.transaction({
  body: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl, resource: { resourceType: 'Patient', name: [{ family }] }, request: { method: 'POST', url: 'Patient' } },
      {
        resource: { resourceType: 'Observation', status: 'final', code: { text: 'pulse' }, subject: { reference: fullUrl } },
        request: { method: 'POST', url: 'Observation' },
      },
    ],
  },
});
seen.transaction = answer.entry.map((entry) => entry.response.status.slice(0, 3));
const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${id}` } }] };
seen.batch = (await client.batch({ body: batch })).entry[0].resource.id === id;

const subject = answer.entry[0].response.location.split('/Patient/')[1].split('/')[0];
const compartment = await client.compartmentSearch({
  resourceType: 'Observation',
  compartment: { resourceType: 'Patient', id: subject },
});
seen.compartment = compartment.entry.length;
const everything = await client.operation({ name: 'everything', resourceType: 'Patient', id: subject, method: 'get' });
seen.everything = everything.entry.length;

await client.delete({ resourceType: 'Patient', id });
seen.gone = await client.read({ resourceType: 'Patient', id }).catch((error) => error.response.status);
console.log(JSON.stringify(seen));
