// For the shop's pages: asks for the permission when the visitor wants it, and hands the subscription over.
//   import { subscribe } from "/bespoke/push.js";
//   button.onclick = () => subscribe({ publicKey, worker: "/push-worker.js", send: (json) => fetch("/me/push", {method: "POST", body: json}) });
// Call it from a click: browsers refuse to ask otherwise.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

export async function subscribe({ publicKey, worker, send }) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return "unsupported";
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const registration = await navigator.serviceWorker.register(worker);
  await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(publicKey) });
  await send(JSON.stringify(subscription));
  return "subscribed";
}
