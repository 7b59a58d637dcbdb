// @medplum/core against a server: node medplum.mjs ORIGIN; prints what it saw as JSON.
import { MedplumClient } from '@medplum/core';

const client = new MedplumClient({ baseUrl: `${process.argv[2]}/`, fhirUrlPath: 'fhir', cacheTime: 0, fetch });
const family = `Plum${Date.now()}`;
const seen = {};

const made = [];
for (let number = 0; number < 5; number += 1) {
  made.push(await client.createResource({ resourceType: 'Patient', name: [{ family, given: [`No${number}`] }] }));
}
const id = made[0].id;
seen.read = (await client.readResource('Patient', id)).name[0].family === family;

seen.pages = 0;
seen.found = 0;
for await (const page of client.searchResourcePages('Patient', { family, _count: '2' })) {
  seen.pages += 1;
  seen.found += page.length;
}
seen.one = (await client.searchOne('Patient', { family, given: 'No3' })).name[0].given[0];
seen.total = (await client.search('Patient', { family, _total: 'accurate' })).total;

const patched = await client.patchResource('Patient', id, [{ op: 'add', path: '/active', value: true }]);
seen.patched = [patched.active, patched.meta.versionId];
seen.updated = (await client.updateResource({ ...patched, gender: 'other' })).meta.versionId;
const identifier = [{ system: 'https://example.org/plum', value: family }];
const fresh = { resourceType: 'Patient', identifier, name: [{ family: 'Once' }] };
const query = `identifier=https://example.org/plum|${family}`;
const once = await client.createResourceIfNoneExist(fresh, query);
seen.once = (await client.createResourceIfNoneExist(fresh, query)).id === once.id;
seen.history = (await client.readHistory('Patient', id)).entry.length;
seen.version = (await client.readVersion('Patient', id, '1')).active === undefined;

const fullUrl = 'urn:uuid:00000000-0000-4000-8000-0000000000bb';
const answer = await client.executeBatch({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    { fullUrl, resource: { resourceType: 'Patient', name: [{ family }] }, request: { method: 'POST', url: 'Patient' } },
    {
      resource: { resourceType: 'Observation', status: 'final', code: { text: 'pulse' }, subject: { reference: fullUrl } },
      request: { method: 'POST', url: 'Observation' },
    },
  ],
});
seen.transaction = answer.entry.map((entry) => entry.response.status.slice(0, 3));
const subject = answer.entry[0].response.location.split('/Patient/')[1].split('/')[0];
seen.everything = (await client.readPatientEverything(subject)).entry.length;
seen.graphql = (await client.graphql(`{ Patient(id: "${subject}") { name { family } } }`)).data.Patient.name[0].family === family;
seen.invalid = await client
  .createResource({ resourceType: 'Patient', gender: 'wrong' })
  .catch((error) => error.outcome.issue[0].expression?.[0]);

await client.deleteResource('Patient', id);
seen.gone = await client.readResource('Patient', id).catch((error) => error.outcome.issue[0].code);
console.log(JSON.stringify(seen));
