using System.Reflection;
using System.Reflection.Emit;

namespace Evidence.Tests;

/// <summary>
/// Everything that a type refers to, as compiled: base types, interfaces, fields, signatures, attributes, local variables, and what the code of its methods
/// calls, makes, reads and casts to. So a reference that no signature shows is found as well.
/// </summary>
internal static class ReferenceWalker
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(o => o.Value);

    /// <summary>The types that a type refers to; of constructed ones their parts, of nested ones themselves.</summary>
    public static HashSet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Add(found, type.BaseType);
        foreach (Type part in type.GetInterfaces())
            Add(found, part);
        AddAttributes(found, type.GetCustomAttributesData());
        foreach (Type parameter in type.GetGenericArguments())
            AddConstraints(found, parameter);
        foreach (FieldInfo field in type.GetFields(Declared))
        {
            Add(found, field.FieldType);
            AddAttributes(found, field.GetCustomAttributesData());
        }

        foreach (PropertyInfo property in type.GetProperties(Declared))
        {
            Add(found, property.PropertyType);
            AddAttributes(found, property.GetCustomAttributesData());
        }

        foreach (EventInfo member in type.GetEvents(Declared))
            Add(found, member.EventHandlerType);
        foreach (MethodBase method in type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared)))
            AddMethod(found, method);
        return found;
    }

    /// <summary>The types that one method refers to.</summary>
    public static HashSet<Type> Of(MethodBase method)
    {
        var found = new HashSet<Type>();
        AddMethod(found, method);
        return found;
    }

    private static void AddMethod(HashSet<Type> found, MethodBase method)
    {
        AddSignature(found, method);
        AddAttributes(found, method.GetCustomAttributesData());
        foreach (ParameterInfo parameter in method.GetParameters())
            AddAttributes(found, parameter.GetCustomAttributesData());
        if (method.IsGenericMethodDefinition)
        {
            foreach (Type parameter in method.GetGenericArguments())
                AddConstraints(found, parameter);
        }

        if (method.GetMethodBody() is not { } body)
            return;
        foreach (LocalVariableInfo local in body.LocalVariables)
            Add(found, local.LocalType);
        foreach (ExceptionHandlingClause clause in body.ExceptionHandlingClauses)
        {
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause)
                Add(found, clause.CatchType);
        }

        AddCode(found, method, body.GetILAsByteArray()!);
    }

    private static void AddCode(HashSet<Type> found, MethodBase method, byte[] code)
    {
        Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int i = 0; i < code.Length;)
        {
            short value = code[i++];
            if (value == 0xFE)
                value = unchecked((short)(0xFE00 | code[i++]));
            OpCode operation = OpCodesByValue[value];
            switch (operation.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok:
                    AddMember(found, method.Module.ResolveMember(BitConverter.ToInt32(code, i), typeArguments, methodArguments));
                    break;
                case OperandType.InlineSwitch:
                    i += 4 * BitConverter.ToInt32(code, i);
                    break;
                default:
                    break;
            }

            i += SizeOf(operation.OperandType);
        }
    }

    private static void AddMember(HashSet<Type> found, MemberInfo? member)
    {
        switch (member)
        {
            case Type type:
                Add(found, type);
                break;
            case FieldInfo field:
                Add(found, field.DeclaringType);
                Add(found, field.FieldType);
                break;
            case MethodBase method:
                Add(found, method.DeclaringType);
                AddSignature(found, method);
                if (method.IsGenericMethod)
                {
                    foreach (Type argument in method.GetGenericArguments())
                        Add(found, argument);
                }

                break;
            default:
                throw new NotSupportedException($"The code names {member}, which this walker does not know.");
        }
    }

    private static void AddSignature(HashSet<Type> found, MethodBase method)
    {
        foreach (ParameterInfo parameter in method.GetParameters())
            Add(found, parameter.ParameterType);
        if (method is MethodInfo { ReturnType: var result })
            Add(found, result);
    }

    private static void AddAttributes(HashSet<Type> found, IEnumerable<CustomAttributeData> attributes)
    {
        foreach (CustomAttributeData attribute in attributes)
        {
            Add(found, attribute.AttributeType);
            foreach (object? value in attribute.ConstructorArguments.Select(a => a.Value).Concat(attribute.NamedArguments.Select(a => a.TypedValue.Value)))
                Add(found, value as Type);
        }
    }

    private static void AddConstraints(HashSet<Type> found, Type parameter)
    {
        foreach (Type constraint in parameter.GetGenericParameterConstraints())
            Add(found, constraint);
    }

    private static void Add(HashSet<Type> found, Type? type)
    {
        if (type is null || type.IsGenericParameter)
            return;
        if (type.HasElementType)
        {
            Add(found, type.GetElementType());
            return;
        }

        if (type.IsFunctionPointer)
        {
            foreach (Type part in type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()))
                Add(found, part);
            return;
        }

        if (type is { IsGenericType: true, IsGenericTypeDefinition: false })
        {
            foreach (Type argument in type.GetGenericArguments())
                Add(found, argument);
            type = type.GetGenericTypeDefinition();
        }

        found.Add(type);
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}
