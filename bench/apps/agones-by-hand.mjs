import AgonesSDK from "@google-cloud/agones-sdk";

/** As https://agones.dev/site/docs/guides/client-sdks/nodejs/ shows it. */
export async function tellAgones() {
  const agonesSDK = new AgonesSDK();
  await agonesSDK.connect();
  await agonesSDK.ready();
  setInterval(() => agonesSDK.health((error) => console.error("health", error)), 2000);
}
