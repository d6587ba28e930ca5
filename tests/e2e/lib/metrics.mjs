// What GET /metrics of a site says.
import { request } from './http.mjs';

// The value of a series, as name{label="word"}, whoever counted; 0: nobody has.
export async function counted(site, series) {
	const { body } = await request(`${site.url}/metrics`, { method: 'GET' });
	const line = body.split('\n').find(s => s.startsWith(`${series} `));
	return Number(line?.slice(series.length + 1) ?? 0);
}

// Of failures for which accounts rest.
export function parks(site, reason) {
	return counted(site, `leasehold_account_parks_total{reason="${reason}"}`);
}
