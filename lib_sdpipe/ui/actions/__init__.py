"""What can be done with images wherever they are shown: send them to a tab of the host, copy their texts, download, share."""
