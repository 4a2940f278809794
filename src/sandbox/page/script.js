// Whatever comes from the sandbox is put in as text, never as markup.
"use strict";

const EVERY_MS = 2000;

const at = (id) => document.getElementById(id);

function element(name, text, className) {
	const made = document.createElement(name);
	if (text !== undefined && text !== null) made.textContent = text;
	if (className) made.className = className;
	return made;
}

function nameCell(text) {
	const cell = element("td", undefined, "name");
	cell.append(element("bdi", text));
	return cell;
}

const MAY = {all: "may do everything", read: "may only read", attendance: "may only record attendance"};

const time = (text) => (text ? text.replace("T", " ").replace("Z", "") : "never");

function fill(id, items, toElement, nothing) {
	const made = items.map(toElement);
	if (made.length === 0) {
		const isTable = at(id).tagName === "TBODY";
		const words = element(isTable ? "td" : "li", nothing, "faint");
		if (isTable) words.colSpan = 5;
		made.push(isTable ? row([words]) : words);
	}
	at(id).replaceChildren(...made);
}

function row(cells) {
	const made = document.createElement("tr");
	made.append(...cells);
	return made;
}

const recordRow = (r) => row([
	element("td", time(r.timestamp)), nameCell(r.user_name ?? r.user_id),
	element("td", r.type.replace("_", " ")), element("td", r.serial_number ?? r.device_id),
	element("td", r.id, "id")]);

const userRow = (u) => row([
	nameCell(u.name), nameCell(u.department ?? "–"), element("td", u.email), element("td", u.phone),
	element("td", u.id, "id")]);

const deviceRow = (d) => row([
	element("td", d.serial_number), element("td", d.status, d.status === "active" ? "good" : "bad"),
	element("td", time(d.last_sync)), element("td", d.id, "id")]);

function keyItem(k) {
	const made = document.createElement("li");
	const bar = document.createElement("progress");
	bar.max = k.limit;
	bar.value = k.remaining;
	bar.setAttribute("aria-label", "requests left");
	made.append(element("code", k.key), ` ${MAY[k.may]}: ${k.remaining} of ${k.limit} left until ${
		time(k.reset).slice(11)}`, bar);
	return made;
}

function faultItem(f) {
	const made = document.createElement("li");
	made.append(element("code", f.spec, "bad"),
		` met ${f.picked === 1 ? "once" : `${f.picked} times`}${f.left === null ? "" : `, ${f.left} left`}`);
	return made;
}

function eventItem(e) {
	const made = document.createElement("li");
	made.append(`${e.type} `, element("span", e.state.replace("_", " "),
		{delivered: "good", waiting: "faint"}[e.state] ?? "bad"),
	element("span", ` ${e.tries === 1 ? "1 try" : `${e.tries} tries`}, ${e.id}`, "faint"));
	return made;
}

function show(o) {
	at("base").textContent = `${location.origin}/v1`;
	at("state").textContent = `${time(o.now)} UTC: ${o.requests} requests since the start, ` +
		`${o.refused_429} of them over the plan`;
	at("records-total").textContent = `${o.records.length} of ${o.records_total}`;
	at("users-total").textContent = `${o.users.length} of ${o.users_total}`;
	at("devices-total").textContent = o.devices.length;
	fill("records", o.records, recordRow, "None yet: POST /attendance makes one.");
	fill("users", o.users, userRow, "Nobody yet: POST /users makes one.");
	fill("devices", o.devices, deviceRow, "None; --devices makes them.");
	fill("keys", o.keys, keyItem, "None: every request is answered 401.");
	fill("faults", o.faults, faultItem, "None.");
	at("webhook").textContent = o.webhook.to === null ? "None; --webhook names one." :
		`To ${o.webhook.to}: ${o.webhook.waiting} waiting, ${o.webhook.delivered} delivered and ` +
		`${o.webhook.given_up} given up since the start.`;
	fill("events", o.events, eventItem, "No events.");
}

async function look() {
	try {
		const answer = await fetch("/_sandbox/overview", {cache: "no-store"});
		show((await answer.json()).data);
		at("state").classList.remove("bad");
	} catch {
		at("state").textContent = "The sandbox does not answer; what is shown is old.";
		at("state").classList.add("bad");
	}
	setTimeout(look, EVERY_MS);
}

look();
