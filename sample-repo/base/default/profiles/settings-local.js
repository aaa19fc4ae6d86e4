// Deck serves this file to every browser: it can hold parameters, never a secret.
window.spinnakerSettings.feature.kustomizeEnabled = true;
window.spinnakerSettings.defaultTimeZone = 'Europe/Berlin';
window.spinnakerSettings.changelog = 'https://${{ params.publicHost }}/changelog';
