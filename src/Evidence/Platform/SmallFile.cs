namespace Evidence.Platform;

/// <summary>Reads files that are read as a whole, and bounded: other people's files can be of any length, and of any kind.</summary>
internal static class SmallFile
{
    /// <summary>Reads a file, of a longer one only the first bytes.</summary>
    /// <returns>Null where there is no such file.</returns>
    /// <exception cref="EvidenceException">It cannot be read, or is no file of bytes.</exception>
    internal static byte[]? TryRead(string path, int maximumLength) => DurableFile.Translate(path, "read", () =>
    {
        if (FileStatus.IsNoFile(path))
            throw new IOException("it is no regular file.");
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var content = new byte[(int)Math.Min(stream.Length, maximumLength)];
            int length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length == content.Length ? content : content[..length];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });

    /// <summary>Opens a file that is read in parts.</summary>
    /// <exception cref="EvidenceException">There is none, it cannot be read, or is no file of bytes.</exception>
    internal static FileStream Open(string path) => DurableFile.Translate(path, "read", () =>
    {
        if (FileStatus.IsNoFile(path))
            throw new IOException("it is no regular file.");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"There is no file {path}.", e);
        }
    });

    /// <summary>Reads a file that must be there; of a longer one than is right, one byte too many, for its parser to refuse.</summary>
    /// <exception cref="EvidenceException">There is none, it cannot be read, or is no file of bytes.</exception>
    internal static byte[] Read(string path, int maximumLength) => TryRead(path, maximumLength + 1) ??
        throw new EvidenceException(ErrorCode.InputOutput, $"There is no file {path}.");
}
