// What every client here asks for: a list to its end by pages, one node again by its id, a mutation.
export const [, , url, uid] = process.argv;
export const PAGE = `query Page($after: String) {
  studies(first: 2, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { __typename id studyInstanceUid studyDescription }
  }
}`;
export const ONE = `query One($uid: UID!) { study(studyInstanceUid: $uid) { __typename id studyDescription } }`;
export const SAVE = `mutation Save($name: String!) {
  saveCohort(name: $name, filter: { modalitiesInStudy: { any: ["CT"] } }) { name }
}`;
export const CHANGES = `subscription Changes($since: String) {
  studyChanged(since: $since) { kind cursor studyInstanceUid }
}`;
export const NOPE = `query Nope { nope }`;

// pages: variables → the data of a page. All UIDs, in order.
export async function toTheEnd(page) {
  const uids = [];
  for (let after = null; ; ) {
    const { studies } = await page({ after });
    uids.push(...studies.nodes.map((node) => node.studyInstanceUid));
    if (!studies.pageInfo.hasNextPage) return uids;
    after = studies.pageInfo.endCursor;
  }
}

export function tell(found) {
  process.stdout.write(JSON.stringify(found) + "\n");
}
