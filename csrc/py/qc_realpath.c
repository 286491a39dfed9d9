#include "qc_compat.h"

#include "qc_realpath.h"

#ifdef __linux__
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#endif

PyDoc_STRVAR(real_path_doc, "real_path(path, /)\n--\n\n"
                            "Return what os.path.realpath() returns for a str, or None where that\n"
                            "has to be asked: a path that isn't there or can't be followed.");

#ifdef __linux__
/* Has the kernel follow the path at once, where realpath() asks about each directory in it. */
static bool ask_kernel(const char *path, char *real)
{
    static const char deleted[] = " (deleted)"; /* what it says of a file that has gone meanwhile */
    enum { SUFFIX = sizeof deleted - 1 };
    char link[64];
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, real, PATH_MAX);
    (void)close(file);
    if (size <= 0 || size >= PATH_MAX || real[0] != '/' ||
        (size >= SUFFIX && memcmp(real + size - SUFFIX, deleted, SUFFIX) == 0)) {
        return false;
    }
    real[size] = '\0';
    return true;
}

static bool ask_system(const char *path, char *real)
{
    bool known;
    Py_BEGIN_ALLOW_THREADS
    known = ask_kernel(path, real) || realpath(path, real) != NULL;
    Py_END_ALLOW_THREADS
    return known;
}

static PyObject *real_path(PyObject *Py_UNUSED(module), PyObject *path)
{
    PyObject *encoded = NULL;
    char real[PATH_MAX + 1];
    if (!PyUnicode_Check(path) || !PyUnicode_FSConverter(path, &encoded)) {
        PyErr_Clear(); /* os.path.realpath() may take it, and raises better exceptions */
        Py_RETURN_NONE;
    }
    bool known = ask_system(PyBytes_AS_STRING(encoded), real);
    Py_DECREF(encoded);
    if (!known) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeFSDefault(real);
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
