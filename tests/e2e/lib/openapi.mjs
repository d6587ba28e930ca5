// The OpenAPI document that a site serves, and whether what was asked and
// answered is as it says.
import Ajv from 'ajv/dist/2020.js';

export class Description {
	constructor(document) {
		this.document = document;
		this.asked = new Set();
		this.mistakes = [];
		this.ajv = new Ajv({ strict: false, allErrors: true });
		this.ajv.addSchema(document, 'api');
		this.templates = Object.keys(document.paths).map(path => ({
			path,
			pattern: new RegExp(`^${path.replace(/[.]/g, '\\.')
				.replace(/\{\w+\}/g, '[^/]+')}$`),
			literal: !path.includes('{'),
		})).sort((a, b) => b.literal - a.literal);
	}

	// "#/components/..." and what it stands for.
	resolve(node) {
		while (node?.$ref)
			node = node.$ref.slice(2).split('/').reduce((at, part) =>
				at[part.replace(/~1/g, '/').replace(/~0/g, '~')],
			this.document);
		return node;
	}

	// The operation that a request is one of, and where it stands.
	operation(method, path) {
		const found = this.templates.find(t =>
			t.pattern.test(path.split('?')[0]) &&
			this.document.paths[t.path][method.toLowerCase()]);
		return found && { path: found.path,
			...this.document.paths[found.path][method.toLowerCase()] };
	}

	#check(what, where, value) {
		const pointer = where.map(part => encodeURIComponent(
			part.replace(/~/g, '~0').replace(/\//g, '~1'))).join('/');
		const validate = this.ajv.getSchema(`api#/${pointer}`);
		if (!validate(value))
			this.mistakes.push(...validate.errors.map(e =>
				`${what}: ${e.instancePath} ${e.message} ` +
				`${JSON.stringify(e.params)}`));
		const schema = where.reduce((at, part) => at[part], this.document);
		this.#strangers(what, schema, value);
	}

	// Members that no schema names.
	#strangers(what, schema, value) {
		const all = [];
		const add = node => {
			const s = this.resolve(node);
			if (!s || typeof s !== 'object')
				return;
			all.push(s);
			for (const list of [s.allOf, s.anyOf, s.oneOf])
				list?.forEach(add);
		};
		add(schema);
		if (Array.isArray(value)) {
			const items = all.find(s => s.items)?.items;
			if (items)
				value.forEach(v => this.#strangers(`${what}[]`, items, v));
			return;
		}
		if (value === null || typeof value !== 'object' ||
			all.some(s => s.additionalProperties))
			return;
		for (const [name, member] of Object.entries(value)) {
			const known = all.find(s => s.properties?.[name]);
			if (known)
				this.#strangers(`${what}.${name}`,
					known.properties[name], member);
			else
				this.mistakes.push(`${what}: the member ${name} ` +
					`(${JSON.stringify(member)}) is not described`);
		}
	}

	// A value that is of a schema, by its "#/..." reference.
	lookAt(what, ref, value) {
		this.#check(what, ref.slice(2).split('/'), value);
	}

	// One request, and the answer with its .json.
	look(method, path, body, answer) {
		const op = this.operation(method, path);
		const what = `${method} ${path} ${answer.status}`;
		if (!op) {
			this.mistakes.push(`${what}: no such path is described`);
			return;
		}
		const at = ['paths', op.path, method.toLowerCase()];
		this.asked.add(`${method} ${op.path}`);
		const good = answer.status < 300;
		const key = op.responses[answer.status] ? String(answer.status) :
			'default';
		if (good && key === 'default')
			this.mistakes.push(`${what}: the status is not described`);
		for (const name of new URLSearchParams(path.split('?')[1]).keys())
			if (!op.parameters?.some(p => this.resolve(p).in === 'query' &&
				this.resolve(p).name === name))
				this.mistakes.push(`${what}: ?${name} is not described`);
		if (good && body !== undefined)
			if (op.requestBody)
				this.#check(`${what} asked`, [...at, 'requestBody',
					'content', 'application/json', 'schema'], body);
			else
				this.mistakes.push(`${what}: no body is described`);
		if (answer.json === undefined)
			return;
		const ref = op.responses[key].$ref;
		const place = ref ? ref.slice(2).split('/') :
			[...at, 'responses', key];
		this.#check(what, [...place, 'content', 'application/json',
			'schema'], answer.json);
	}
}
