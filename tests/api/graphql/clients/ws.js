// Stands before the example of docs/frontend.md, which follows: what it takes for granted.
import { createClient as plain } from "graphql-ws";
import WebSocket from "ws";
import { CHANGES, ONE, PAGE, SAVE, tell, toTheEnd, uid, url } from "./asked.js";

globalThis.WebSocket = WebSocket; // as browsers have it
const socket = plain({ url: url.replace("http", "ws"), connectionParams: null, retryAttempts: 0 });
const once = async (text, variables) => {
  for await (const { data, errors } of socket.iterate({ query: text, variables })) {
    if (errors) throw errors[0];
    return data;
  }
};
const uids = await toTheEnd((variables) => once(PAGE, variables));
const cached = (await once(ONE, { uid })).study.studyDescription;
const saved = (await once(SAVE, { name: "ws" })).saveCohort.name;
const refused = await once("{ nope }").catch((errors) => errors.map((error) => error.extensions.code));
const { changesCursor } = await once("{ changesCursor }");
await socket.dispose();
tell({ uids, cached, saved, refused });
const query = CHANGES;
const token = async () => "nobody's";
const apply = tell;
