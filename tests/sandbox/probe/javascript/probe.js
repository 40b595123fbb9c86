window.probeLoaded = true;
