"""What comes back about messages: reports of mail servers, events of providers, scanners' visits."""
