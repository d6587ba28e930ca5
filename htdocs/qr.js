// A QR code as a picture, by qrcode-generator, which is loaded with the first.
const quiet = 4;		// cells around it, as ISO/IEC 18004 asks for

// Resolves to an SVG element; to null where the pages were built without the
// library.
export async function qrCode(text, label) {
	let make;
	try {
		({ default: make } = await import('./lib/qrcode.js'));
	} catch {
		return null;
	}
	const code = make(0, 'M');
	code.addData(text);
	code.make();
	const n = code.getModuleCount(), size = n + 2 * quiet;
	let path = '';
	for (let row = 0; row < n; row++)
		for (let column = 0; column < n; column++)
			if (code.isDark(row, column))
				path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	const cells = document.createElementNS(svg.namespaceURI, 'path');
	cells.setAttribute('d', path);
	svg.append(cells);
	svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
	svg.setAttribute('class', 'qr');
	svg.setAttribute('role', 'img');
	svg.setAttribute('aria-label', label);
	svg.setAttribute('shape-rendering', 'crispEdges');
	return svg;
}
