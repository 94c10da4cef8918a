// @xterm/headless as a judge: streams in, states out, as judges.py describes both. Run in the folder into which npm has
// installed it.
"use strict";
const { createRequire } = require("module");
const require_here = createRequire(process.cwd() + "/");
const { Terminal } = require_here("@xterm/headless");
const { Unicode11Addon } = require_here("@xterm/addon-unicode11");
const { UnicodeGraphemesAddon } = require_here("@xterm/addon-unicode-graphemes");

const GRAPHEMES = Buffer.from("\x1b[?2027h").toString("hex");        // it does not know the mode, but can do what it says
const MARKS = [
	["isBold", "b"], ["isDim", "f"], ["isItalic", "i"], ["isBlink", "k"], ["isInverse", "v"], ["isInvisible", "h"],
	["isStrikethrough", "s"], ["isOverline", "o"],
];

function colour(mark, isRgb, isDefault, value) {
	if (isDefault)
		return "";
	return mark + (isRgb ? "#" + value.toString(16).padStart(6, "0") : value);
}

function style(core, cell) {
	let out = "";
	for (const [ask, mark] of MARKS)
		if (cell[ask]())
			out += mark;
	if (cell.isUnderline() && cell.getUnderlineStyle() > 0)          // a link is underlined as well
		out += "u" + cell.getUnderlineStyle();
	out += colour("F", cell.isFgRGB(), cell.isFgDefault(), cell.getFgColor());
	out += colour("B", cell.isBgRGB(), cell.isBgDefault(), cell.getBgColor());
	if (cell.isUnderline() && cell.getUnderlineStyle() > 0 && cell.hasExtendedAttrs() && !cell.isUnderlineColorDefault()) {
		const value = cell.getUnderlineColor();
		if (value !== cell.getFgColor() || cell.extended.underlineColor !== 0)
			out += colour("U", cell.isUnderlineColorRGB(), false, value);
	}
	const link = cell.hasExtendedAttrs() && cell.extended.urlId ? core._oscLinkService.getLinkData(cell.extended.urlId) : null;
	return out + (link ? "L" + link.uri : "");
}

function row(core, line, cols) {
	const cells = [];
	for (let x = 0; x < cols; x++) {
		const cell = line.getCell(x);
		if (cell.getWidth() > 0)
			cells.push([cell.getChars() || " ", style(core, cell)]);
	}
	return cells;
}

function mouse_encoding(core) {
	const names = { SGR: "mouse-sgr", SGR_PIXELS: "mouse-pixels" };
	return names[core.coreMouseService.activeEncoding];
}

function state(id, term, title, answers) {
	const core = term._core, buffer = term.buffer.active, modes = term.modes, rows = [];
	for (let y = 0; y < term.rows; y++)
		rows.push(row(core, buffer.getLine(buffer.baseY + y), term.cols));
	const set = [];
	const put = (name, on) => { if (on) set.push(name); };
	put("application-cursor", modes.applicationCursorKeysMode);
	put("application-keypad", modes.applicationKeypadMode);
	put("bracketed-paste", modes.bracketedPasteMode);
	put("insert", modes.insertMode);
	put("origin", modes.originMode);
	put("autowrap", modes.wraparoundMode);
	put("focus", modes.sendFocusMode);
	put("synchronized", modes.synchronizedOutputMode);
	put({ x10: "mouse-x10", vt200: "mouse", drag: "mouse-drag", any: "mouse-motion" }[modes.mouseTrackingMode], modes.mouseTrackingMode !== "none");
	put(mouse_encoding(core), mouse_encoding(core));
	return {
		id, rows, answers, title, modes: set.sort(), alternate: buffer.type === "alternate",
		cursor: { row: buffer.cursorY, col: buffer.cursorX, visible: !core.coreService.isCursorHidden },
	};
}

function judge(line) {
	const [id, rows, cols, ...pieces] = line.split(" ");
	const term = new Terminal({ rows: +rows, cols: +cols, allowProposedApi: true, logLevel: "off", scrollback: 0,
		windowOptions: { getWinSizeChars: true } });
	let answers = "", title = "";
	term.loadAddon(new Unicode11Addon());
	term.loadAddon(new UnicodeGraphemesAddon());
	term.unicode.activeVersion = pieces.some(p => p.includes(GRAPHEMES)) ? "15-graphemes" : "11";
	term.onData(text => { answers += text; });
	term.onTitleChange(text => { title = text; });
	for (const piece of pieces) {
		const size = /^@(\d+)x(\d+)$/.exec(piece);
		if (size)
			term.resize(+size[2], +size[1]);
		else
			term._core.writeSync(Buffer.from(piece, "hex"));
	}
	const out = state(id, term, title, answers);
	term.dispose();
	return out;
}

const lines = require("fs").readFileSync(0, "latin1").split("\n");
const out = [];
for (const line of lines)
	if (line)
		out.push(JSON.stringify(judge(line)));
process.stdout.write(out.join("\n") + "\n");
