import type { Attributes } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { randomUUID } from "node:crypto";
import { ATTRIBUTES } from "../conventions.ts";

/**
 * Who sends: our defaults, what the orchestrator told, the program's own attributes, and over all of them
 * OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME.
 */
export async function buildResource(told: Attributes, own: Attributes, env: NodeJS.ProcessEnv): Promise<Resource> {
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } =
    await import("@opentelemetry/resources");
  const defaults: Attributes = {
    [ATTRIBUTES.serviceName.key]: env["npm_package_name"] || "colyseus",
    [ATTRIBUTES.serviceInstance.key]:
      told[ATTRIBUTES.agonesServer.key] ?? told[ATTRIBUTES.gameliftProcess.key] ?? randomUUID(),
    ...(env["npm_package_version"] && { [ATTRIBUTES.serviceVersion.key]: env["npm_package_version"] }),
    ...(env["NODE_ENV"] && { [ATTRIBUTES.environment.key]: env["NODE_ENV"] }),
  };
  return defaultResource()
    .merge(resourceFromAttributes({ ...defaults, ...told, ...own }))
    .merge(detectResources({ detectors: [envDetector] }));
}
