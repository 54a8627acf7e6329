"""Controlplane: settings, URL map, processes and the demo."""
