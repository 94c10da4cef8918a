"""share/openapi.json says what the route table says: paths, methods, rights, parameters, bodies and their keys."""
import json, os, re, sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
doc = json.load(open(top + '/share/openapi.json'))
source = {name: open(f'{top}/src/http/{name}').read() for name in ('routes.c', 'on-session.c', 'on-terminal.c')}
SESSION = re.search(r'#define SESSION "(.*)"', source['routes.c']).group(1)

rows = {}
for line in re.findall(r'^\t\{ "[A-Z].*\},$', source['routes.c'], re.M):
    method, path, rights, flags, query, body, fn = re.match(r'\t\{ "(\w+)", (.*?), (RIGHT_\w+), (\w+), (.*?), (.*?), (\w+) \},', line).groups()
    path = path.replace('SESSION', f'"{SESSION}"').replace('" "', '').strip('"')
    rows[method.lower(), path] = rights.removeprefix('RIGHT_').lower(), flags, [] if query == 'NULL' else query.strip('"').split(), body.strip('&')
described = {(method, path): o for path, methods in doc['paths'].items() for method, o in methods.items()}
assert len(rows) > 15 and set(rows) == set(described), set(rows) ^ set(described)


def keys_of(table):
    """The keys of a table of JSON fields, and which of them are required."""
    for text in source.values():
        m = re.search(rf'^(?:static )?const struct json_object {table} =\s+JSON_OBJECT\(".*?", struct \w+, (\w+), true\)', text, re.M)
        if m:
            fields = re.search(rf'struct json_field {m.group(1)}\[\] = \{{\n(.*?)\n\}};', text, re.S).group(1)
            return {re.match(r'\t\{ "(\w+)"', line).group(1): '.required = true' in line for line in fields.split('\n')}
    raise AssertionError(table)


for key, (right, flags, query, body) in rows.items():
    o = described[key]
    assert o.get('x-right', 'nothing') == right and ('security' in o) == (right == 'nothing'), key
    assert \
        {p['name'] for p in o.get('parameters', ()) if p['in'] == 'query'} == set(query), key
    assert ('{id}' in key[1]) == any(p['in'] == 'path' for p in o.get('parameters', ())), key
    content = o.get('requestBody', {}).get('content', {})
    if body == 'NULL':
        assert 'application/json' not in content and ('ROUTE_BYTES' in flags) == ('application/octet-stream' in content), key
        continue
    schema = doc['components']['schemas'][content['application/json']['schema']['$ref'].rsplit('/', 1)[1]]
    keys = keys_of(body)
    assert set(schema['properties']) == set(keys), (key, set(schema['properties']) ^ set(keys))
    assert set(schema.get('required', ())) == {k for k, required in keys.items() if required}, key
    assert schema['additionalProperties'] is False, key
ids = [o['operationId'] for o in described.values()]
assert len(set(ids)) == len(ids)
text = json.dumps(doc)
for name in re.findall(r'#/components/schemas/(\w+)', text):
    assert name in doc['components']['schemas'], name
api = open(top + '/docs/api.md').read()
for method, path in rows:
    assert re.search(rf'`{method.upper()} {re.escape(path)}[`?]', api), f'docs/api.md does not know {method.upper()} {path}'
print('good')
