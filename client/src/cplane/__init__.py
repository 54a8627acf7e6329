"""The command line of Controlplane."""
