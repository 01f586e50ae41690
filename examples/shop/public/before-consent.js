const { licetUrl, publicKey } = await (await fetch('/config.json')).json()
const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: publicKey, cdnURL: licetUrl })
await analytics.track('Sent Without Asking', { value: 1 })
document.body.dataset.sent = 'yes'
