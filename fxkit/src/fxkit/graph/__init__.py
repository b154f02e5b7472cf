"""A model as a plain list of layers: what the engine runs and what a stranger's file can hold.

`Graph` is the builder that `Model.graph` calls, `Spec` the list it makes (plain JSON over named
tensors), `GraphModel` the interpreter in PyTorch. ``docs/artifact.md`` defines every layer.
"""

from fxkit.graph.build import Graph, Node
from fxkit.graph.errors import GraphError, NotExportableError
from fxkit.graph.export import export
from fxkit.graph.play import GraphModel
from fxkit.graph.spec import Spec

__all__ = ["Graph", "GraphError", "GraphModel", "Node", "NotExportableError", "Spec", "export"]
