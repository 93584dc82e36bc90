import type { LaterStep } from "../orchestrators/orchestrator.ts";
import { contextFromAnnotations } from "../propagation/annotations.ts";
import { admit } from "../propagation/trust.ts";
import { newStep, type StepLink, type Teller } from "../telling/step.ts";

/** Tells a step of the orchestrator's that was over before anybody heard of it. */
export function tellLater(teller: Teller, { span, linked, failure, ...fields }: LaterStep): void {
  const links: StepLink[] = [];
  if (linked) {
    const { link, outcome } = admit(contextFromAnnotations(linked.carrier), "link");
    teller.note({ note: "trace_context", source: linked.source, outcome });
    if (link) {
      links.push({ context: link, source: linked.source });
    }
  }
  const step = newStep(span, { ...fields, links });
  step.failure = failure;
  teller.close(step);
}
