// Stands in for Agones' FleetAutoscaler with a webhook that knows of refused allocations; checked by reading
// pkg/fleetautoscalers/fleetautoscalers.go of agones-dev/agones 676cc64. Left out: its interval (30 s), replicas beyond the
// first one, scaling in, and the Fleet and its controllers, which make a GameServer and a pod of a replica.

/** From none to one: starts the first server when an allocation has found none. */
export async function scaleFromZero<Server>(refused: Promise<unknown>, start: () => Promise<Server>): Promise<Server> {
  await refused;
  return start();
}
