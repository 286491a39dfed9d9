#include "qc_compat.h"

#include "qc_realpath.h"

#include <stdlib.h>

PyDoc_STRVAR(real_path_doc, "real_path(path, /)\n--\n\n"
                            "Return what os.path.realpath() returns for a str, or None where that\n"
                            "has to be asked: a path that isn't there or can't be followed.");

#ifdef __linux__
/* The real path, or NULL; the caller frees it. */
static char *ask_system(const char *path)
{
    char *real;
    Py_BEGIN_ALLOW_THREADS
    real = realpath(path, NULL);
    Py_END_ALLOW_THREADS
    return real;
}

static PyObject *real_path(PyObject *Py_UNUSED(module), PyObject *path)
{
    PyObject *encoded = NULL;
    if (!PyUnicode_Check(path) || !PyUnicode_FSConverter(path, &encoded)) {
        PyErr_Clear(); /* os.path.realpath() may take it, and raises better exceptions */
        Py_RETURN_NONE;
    }
    char *real = ask_system(PyBytes_AS_STRING(encoded));
    Py_DECREF(encoded);
    if (real == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *result = PyUnicode_DecodeFSDefault(real);
    free(real);
    return result;
}
#else
/* Elsewhere realpath() isn't there, or spells names as the file system does (macOS). */
static PyObject *real_path(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(path))
{
    Py_RETURN_NONE;
}
#endif

static PyMethodDef realpath_methods[] = {
    {"real_path", real_path, METH_O, real_path_doc},
    {NULL, NULL, 0, NULL},
};

int qc_realpath_add(PyObject *module)
{
    return PyModule_AddFunctions(module, realpath_methods);
}
