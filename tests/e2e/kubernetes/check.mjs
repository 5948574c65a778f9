// Checks Kubernetes manifests without a cluster; prints JSON: for each object its kind, its name and
// what is wrong. usage: node check.mjs MANIFEST.yaml
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {parseAllDocuments} from 'yaml';

// Types of the API by name: V1Pod, V1StatefulSet, ...
async function loadTypes() {
  const folder = new URL('node_modules/@kubernetes/client-node/dist/gen/models/', import.meta.url).pathname;
  const types = {};
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.js') || file === 'all.js' || file === 'ObjectSerializer.js') continue;
    Object.assign(types, await import(pathToFileURL(join(folder, file)).href));
  }
  return types;
}

// Fields that the type does not have: the API server drops them silently, unless asked to be strict.
function unknownFields(types, value, type, path) {
  if (value === null || typeof value !== 'object') return [];
  const list = /^Array<(.*)>$/.exec(type);
  if (list) return value.flatMap((v, i) => unknownFields(types, v, list[1], `${path}[${i}]`));
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  const fields = Object.entries(value);
  if (map) return fields.flatMap(([k, v]) => unknownFields(types, v, map[1], `${path}.${k}`));
  if (!types[type]?.getAttributeTypeMap) return [];
  const known = new Map(types[type].getAttributeTypeMap().map((a) => [a.baseName, a.type]));
  return fields.flatMap(([k, v]) =>
      known.has(k) ? unknownFields(types, v, known.get(k), `${path}.${k}`) : [`${path}.${k} is unknown`]);
}

// Types, required fields and enumerations, by the API's published schema.
async function schemaErrors(object) {
  let models;
  try {
    models = await import(`kubernetes-models/${object.apiVersion}/${object.kind}`);
  } catch {
    return [`no kind ${object.kind} in ${object.apiVersion}`];
  }
  try {
    new models[object.kind](object).validate();
    return [];
  } catch (error) {
    return error.message.split('\n');
  }
}

function typeOf(object) {
  const version = object.apiVersion.split('/').pop();
  return version[0].toUpperCase() + version.slice(1) + object.kind;
}

const includes = (labels, selector) => Object.entries(selector).every(([k, v]) => labels?.[k] === v);

// What a pod names must be there.
function danglingNames(object, objects) {
  const template = object.spec?.template;
  if (!template) return [];
  const has = (kind, name) => objects.some((o) => o.kind === kind && o.metadata.name === name);
  const pod = template.spec;
  const volumes = pod.volumes ?? [];
  const claims = (object.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name);
  const mountable = [...volumes.map((volume) => volume.name), ...claims];
  const wanted = [
    ...volumes.filter((v) => v.configMap).map((v) => ['ConfigMap', v.configMap.name]),
    ...volumes.flatMap((v) => v.projected?.sources ?? []).filter((source) => source.configMap)
        .map((source) => ['ConfigMap', source.configMap.name]),
    ...volumes.filter((v) => v.secret).map((v) => ['Secret', v.secret.secretName]),
    ...volumes.filter((v) => v.persistentVolumeClaim)
        .map((v) => ['PersistentVolumeClaim', v.persistentVolumeClaim.claimName]),
    ...(object.kind === 'StatefulSet' ? [['Service', object.spec.serviceName]] : []),
  ];
  const mounts = pod.containers.flatMap((container) => container.volumeMounts ?? []);
  return [
    ...wanted.filter(([kind, name]) => !has(kind, name)).map(([kind, name]) => `no ${kind} ${name}`),
    ...mounts.filter((m) => !mountable.includes(m.name)).map((m) => `no volume ${m.name}`),
  ];
}

// Selectors must find pods.
function idleSelectors(object, objects) {
  const spec = object.spec ?? {};
  const selectors = {
    Service: [spec.selector],
    StatefulSet: [spec.selector?.matchLabels],
    NetworkPolicy: [spec.podSelector?.matchLabels],
  }[object.kind] ?? [];
  const pods = (object.kind === 'StatefulSet' ? [object] : objects).map((o) => o.spec?.template?.metadata);
  return selectors.filter((s) => s && !pods.some((pod) => includes(pod?.labels, s)))
      .map((s) => `no pod has the labels ${JSON.stringify(s)}`);
}

const documents = parseAllDocuments(readFileSync(process.argv[2], 'utf8'));
const objects = documents.map((document) => document.toJS());
const types = await loadTypes();
const checked = await Promise.all(objects.map(async (object, i) => ({
  kind: object.kind,
  name: object.metadata?.name,
  errors: [
    ...documents[i].errors.map(String),
    ...await schemaErrors(object),
    ...unknownFields(types, object, typeOf(object), object.kind),
    ...danglingNames(object, objects),
    ...idleSelectors(object, objects),
  ],
})));
console.log(JSON.stringify(checked));
