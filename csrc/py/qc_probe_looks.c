#include "qc_compat_probe.h"

#include "qc_probe_bell.h"
#include "qc_probe_looks.h"
#include "qc_probe_slots.h"
#include "qc_probe_twin.h"
#include "qc_store.h"
#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Static, against the rule, because PyCode_Type is: a slot can't be told where its state is. */
static struct {
    qc_codemap *map; /* strong */
    getter get_code, get_adaptive;
    richcmpfunc compare;
    hashfunc hash;
    PyCFunction replace, dump, dumps;
} looks;

/* ------------------------------------------------------------------ twins as their originals */

/* Has a bell hang again that was taken down. If the code was used meanwhile, which only Python code
 * that was run by a look could do, then frames may be where the bell was. */
static void hang_up(qc_link *link)
{
    const qc_tracer *tracer = looks.map->prober;
    if (link == NULL || link->bell == NULL || link->bell->hangs) {
        return;
    }
    if (link->bell->references == Py_REFCNT(link->code)) {
        qc_bell_hang_up(link);
        return;
    }
    qc_bell_free(link);
    if (tracer != NULL) {
        qc_store_doubt(tracer->store,
                       "%U, %U line %d, was called while it was copied or compared; what it runs "
                       "from then on is missing",
                       link->code->co_qualname, link->code->co_filename,
                       link->code->co_firstlineno);
    }
}

/* The link of a code object with a bell, which is taken down; any other has NULL. */
static qc_link *take_down(PyObject *object)
{
    qc_link *link =
        PyCode_Check(object) ? qc_codemap_find(looks.map, (PyCodeObject *)object) : NULL;
    if (link == NULL || link->bell == NULL) {
        return NULL;
    }
    qc_bell_take_down(link);
    return link;
}

/* The original of a twin; any other object itself. Borrowed. */
static PyObject *original_of(PyObject *object)
{
    if (PyCode_Check(object)) {
        qc_link *link = qc_codemap_find(looks.map, (PyCodeObject *)object);
        if (link != NULL && link->twin != NULL) {
            return (PyObject *)link->twin->original;
        }
    }
    return object;
}

static PyObject *compare(PyObject *left, PyObject *right, int what)
{
    left = original_of(left);
    right = original_of(right);
    qc_link *first = take_down(left), *second = take_down(right);
    PyObject *result = looks.compare(left, right, what);
    hang_up(first);
    hang_up(second);
    return result;
}

static Py_hash_t hash(PyObject *code)
{
    code = original_of(code);
    qc_link *link = take_down(code);
    Py_hash_t result = looks.hash(code);
    hang_up(link);
    return result;
}

static PyObject *get_code(PyObject *code, void *closure)
{
    qc_link *link = qc_codemap_find(looks.map, (PyCodeObject *)code);
    if (link != NULL && link->twin != NULL && qc_twin_show(link) < 0) {
        return NULL;
    }
    qc_link *hung = take_down(code);
    PyObject *result = looks.get_code(code, closure);
    hang_up(hung);
    return result;
}

static PyObject *get_adaptive(PyObject *code, void *closure)
{
    qc_link *link = qc_codemap_find(looks.map, (PyCodeObject *)code);
    if (link != NULL && link->twin != NULL) {
        return qc_twin_adaptive(link);
    }
    qc_link *hung = take_down(code);
    PyObject *result = looks.get_adaptive(code, closure);
    hang_up(hung);
    return result;
}

/* ------------------------------------------------------------------ attributes */

static PyObject *get_exceptions(PyObject *self, void *Py_UNUSED(closure))
{
    PyCodeObject *code = (PyCodeObject *)self;
    const qc_twin *twin = qc_twin_of(looks.map, code);
    return Py_NewRef(twin != NULL ? twin->exceptions : code->co_exceptiontable);
}

static PyObject *get_stacksize(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *code = original_of(self);
    qc_link *hung = take_down(code);
    PyObject *result = PyLong_FromLong(((PyCodeObject *)code)->co_stacksize);
    hang_up(hung);
    return result;
}

/* ------------------------------------------------------------------ copies */

/* Has code be without what was added, or be with it again. */
static int hide(qc_link *link, void *Py_UNUSED(context))
{
    qc_bell_take_down(link);
    if (link->twin == NULL) {
        return 0;
    }
    qc_code_set_exceptions(link->code, link->twin->exceptions);
    return qc_twin_show(link);
}

static int show(qc_link *link, void *Py_UNUSED(context))
{
    qc_twin *twin = link->twin;
    hang_up(link);
    if (twin != NULL && twin->outs_armed) {
        qc_code_set_exceptions(link->code, twin->outs);
    }
    return 0;
}

/* code.replace(): the copy has no trampolines, so nothing may lead to them. */
static PyObject *replace(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyCodeObject *code = (PyCodeObject *)self;
    _PyCFunctionFastWithKeywords function =
        (_PyCFunctionFastWithKeywords)(void (*)(void))looks.replace;
    qc_link *link = qc_codemap_find(looks.map, code);
    if (link == NULL || link->twin == NULL) {
        qc_link *hung = take_down(self);
        PyObject *copy = function(self, args, count, names);
        hang_up(hung);
        return copy;
    }
    if (qc_twin_show(link) < 0) {
        return NULL;
    }
    int slots = code->co_stacksize;
    code->co_stacksize = link->twin->original->co_stacksize;
    (void)hide(link, NULL);
    PyObject *result = function(self, args, count, names);
    (void)show(link, NULL);
    code->co_stacksize = slots;
    return result;
}

/* May marshal come to code that was changed in this value? */
static bool may_hold_changed(PyObject *value)
{
    const qc_link *link =
        PyCode_Check(value) ? qc_codemap_find(looks.map, (PyCodeObject *)value) : NULL;
    if (!PyCode_Check(value) || (link != NULL && (link->twin != NULL || link->bell != NULL)) ||
        Py_EnterRecursiveCall(" while a code object is marshalled")) {
        PyErr_Clear(); /* so deep that marshal will refuse it */
        return true;
    }
    PyObject *consts = ((PyCodeObject *)value)->co_consts;
    bool found = false;
    for (Py_ssize_t k = 0; !found && k < PyTuple_GET_SIZE(consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(consts, k);
        found = PyCode_Check(item) && may_hold_changed(item);
    }
    Py_LeaveRecursiveCall();
    return found;
}

/* Calls marshal's function with all changes hidden, if the value may hold any. */
static PyObject *marshalled(PyCFunction function, PyObject *module, PyObject *const *args,
                            Py_ssize_t count, PyObject *names)
{
    if (count < 1 || !may_hold_changed(args[0])) {
        return qc_call_method(function, QC_MARSHAL_FLAGS, module, args, count, names);
    }
    PyObject *result = qc_codemap_each(looks.map, hide, NULL) == 0
                           ? qc_call_method(function, QC_MARSHAL_FLAGS, module, args, count, names)
                           : NULL;
    PyObject *error = result == NULL ? qc_error_take() : NULL;
    (void)qc_codemap_each(looks.map, show, NULL);
    if (error != NULL) {
        qc_error_restore(error);
    }
    return result;
}

static PyObject *dump(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return marshalled(looks.dump, module, args, count,
                      QC_MARSHAL_FLAGS & METH_KEYWORDS ? names : NULL);
}

static PyObject *dumps(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return marshalled(looks.dumps, module, args, count,
                      QC_MARSHAL_FLAGS & METH_KEYWORDS ? names : NULL);
}

/* ------------------------------------------------------------------ putting them in place */

/* PyDescr_NewGetSet keeps a pointer to its definition; never written to. */
static PyGetSetDef EXCEPTIONS = {"co_exceptiontable", get_exceptions, NULL, NULL, NULL};
static PyGetSetDef STACKSIZE = {"co_stacksize", get_stacksize, NULL, NULL, NULL};

/* Puts both attributes in place, or none. */
static int put_attributes(void)
{
    PyGetSetDef *definitions[] = {&EXCEPTIONS, &STACKSIZE};
    PyObject *names[2], *descriptors[2];
    int result = 0;
    for (int k = 0; k < 2; k++) {
        names[k] = PyUnicode_InternFromString(definitions[k]->name);
        descriptors[k] = PyDescr_NewGetSet(&PyCode_Type, definitions[k]);
        result = names[k] != NULL && descriptors[k] != NULL ? result : -1;
    }
    for (int k = 0; k < 2; k++) { /* the names are there already: that takes no memory */
        if (result == 0) {
            result = PyDict_SetItem(qc_type_dict(&PyCode_Type), names[k], descriptors[k]);
        }
    }
    for (int k = 0; k < 2; k++) {
        Py_XDECREF(names[k]);
        Py_XDECREF(descriptors[k]);
    }
    PyType_Modified(&PyCode_Type);
    return result;
}

/* The descriptor of an attribute of code objects, borrowed; NULL with an exception set. */
static PyObject *attribute(const char *name, PyTypeObject *type)
{
    PyObject *descriptor = qc_type_attribute(&PyCode_Type, name);
    if (descriptor != NULL && !Py_IS_TYPE(descriptor, type)) {
        PyErr_Format(PyExc_RuntimeError, "quickcover: code.%s is not CPython's", name);
        return NULL;
    }
    return descriptor;
}

static void put_marshal(PyMethodDef *dump_method, PyMethodDef *dumps_method)
{
    looks.dump = dump_method->ml_meth;
    looks.dumps = dumps_method->ml_meth;
    dump_method->ml_meth = (PyCFunction)(void (*)(void))dump;
    dumps_method->ml_meth = (PyCFunction)(void (*)(void))dumps;
}

int qc_probe_looks_open(qc_codemap *map)
{
    if (looks.map != NULL) {
        return 0;
    }
    PyObject *code = attribute("co_code", &PyGetSetDescr_Type);
    PyObject *adaptive = code != NULL ? attribute("_co_code_adaptive", &PyGetSetDescr_Type) : NULL;
    PyObject *method = adaptive != NULL ? attribute("replace", &PyMethodDescr_Type) : NULL;
    PyMethodDef *dump_method =
        method ? qc_builtin_method("marshal", "dump", QC_MARSHAL_FLAGS) : NULL;
    PyMethodDef *dumps_method =
        dump_method != NULL ? qc_builtin_method("marshal", "dumps", QC_MARSHAL_FLAGS) : NULL;
    /* From here on nothing fails: half of it in place would be worse than none. */
    if (dumps_method == NULL || put_attributes() < 0) {
        return -1;
    }
    looks.map = qc_codemap_hold(map);
    put_marshal(dump_method, dumps_method);
    PyGetSetDef *getset = ((PyGetSetDescrObject *)code)->d_getset;
    looks.get_code = getset->get;
    getset->get = get_code;
    getset = ((PyGetSetDescrObject *)adaptive)->d_getset;
    looks.get_adaptive = getset->get;
    getset->get = get_adaptive;
    PyMethodDef *definition = ((PyMethodDescrObject *)method)->d_method;
    looks.replace = definition->ml_meth;
    for (PyMethodDef *one = PyCode_Type.tp_methods; one->ml_name != NULL; one++) {
        if (one->ml_meth == looks.replace) { /* it may have two names */
            one->ml_meth = (PyCFunction)(void (*)(void))replace;
        }
    }
    looks.compare = PyCode_Type.tp_richcompare;
    looks.hash = PyCode_Type.tp_hash;
    PyCode_Type.tp_richcompare = compare;
    PyCode_Type.tp_hash = hash;
    return 0;
}

#endif
