"""The WMI of a simulated host: classes and their rows, WQL, associations, methods and jobs."""
