// The service worker of the shop: copy it to the root of the shop's own address. Shows what Bespoke sends.

self.addEventListener("push", (event) => {
  const { title, body, url, image, tag } = event.data ? event.data.json() : {};
  if (!title) return;
  const options = { body, tag, data: { url }, ...(image ? { image } : {}) };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data || {};
  if (url && /^https?:/.test(url)) event.waitUntil(self.clients.openWindow(url));
});
