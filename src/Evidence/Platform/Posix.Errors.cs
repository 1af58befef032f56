namespace Evidence.Platform;

/// <summary>The names of the errors that a failing source gives (Linux <c>errno.h</c>).</summary>
internal static unsafe partial class Posix
{
    /// <summary>The name of an error number, as it is written in C; <c>errno 123</c> for one that sources do not give.</summary>
    internal static string ErrorName(int error) => error switch
    {
        EPERM => "EPERM",
        5 => "EIO",
        ENXIO => "ENXIO",
        EACCES => "EACCES",
        ENODEV => "ENODEV",
        EINVAL => "EINVAL",
        61 => "ENODATA",
        84 => "EILSEQ",
        104 => "ECONNRESET",
        108 => "ESHUTDOWN",
        110 => "ETIMEDOUT",
        ESTALE => "ESTALE",
        121 => "EREMOTEIO",
        ENOMEDIUM => "ENOMEDIUM",
        _ => string.Create(null, $"errno {error}"),
    };
}
